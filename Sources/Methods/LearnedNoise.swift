import Networks
import Tensors

/// What D-BSN learned of the noise, drawn and told.
extension PosteriorMean {
    /// A clean image under the noise that the noise head expects there, of a strength between 0.9 and 1.1 of it (spec
    /// C.6).
    ///
    /// - Parameters:
    ///   - clean: [3, 1, height, width] in [0, 1].
    ///   - seed: of the noise.
    /// - Returns: the same shape, not clamped.
    public func noisy(_ clean: Tensor, seed: UInt64) -> Tensor {
        var random = RandomSource(seed: seed)
        let strength = 0.9 + 0.2 * random.uniform()
        let raw = model.noise(of: Variable(clean), Pass(weights)).tensor
        var planes = NoiseVariance.rows(clean)
        guard model.noiseModel == .multivariate else {
            let averages = NoiseVariance.deviations(raw, .awgn)
            for (c, values) in NoiseVariance.rows(raw).enumerated() {
                for p in values.indices {
                    let deviation =
                        model.noiseModel == .awgn ? averages[c] : NoiseVariance.deviation(Double(values[p]))
                    planes[c][p] += Float(deviation) * strength * random.normal()
                }
            }
            return Tensor(clean.shape, planes.flatMap { $0 })
        }
        let u = NoiseVariance.covariance(raw).upperFactor.map { Float($0) * strength }
        for p in planes[0].indices {
            let e = SIMD3(random.normal(), random.normal(), random.normal())
            planes[0][p] += u[0] * e.x + u[1] * e.y + u[2] * e.z
            planes[1][p] += u[3] * e.y + u[4] * e.z
            planes[2][p] += u[5] * e.z
        }
        return Tensor(clean.shape, planes.flatMap { $0 })
    }

    /// Standard deviations of the noise in noisy images, as the noise head sees it: root mean square over the pixels of
    /// each channel, in units of [0, 1].
    ///
    /// - Parameter noisy: at least one image of [3, 1, height, width].
    public func noiseDeviations(of noisy: [Tensor]) -> [Double] {
        let squares = noisy.map { image in
            let subImages = pixelDownsample(Variable(image), stride: stride)
            // Only noise that depends on brightness is seen through the mean.
            let seen = model.noiseModel == .heteroscedastic ? model(subImages, Pass(weights)) : subImages
            let raw = model.noise(of: seen, Pass(weights)).tensor
            return NoiseVariance.deviations(raw, model.noiseModel).map { $0 * $0 }
        }
        return (0..<3).map { c in (squares.reduce(0) { $0 + $1[c] } / Double(squares.count)).squareRoot() }
    }
}
