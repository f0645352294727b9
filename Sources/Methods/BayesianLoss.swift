import Networks
import Tensors

#if canImport(Glibc)
    import Glibc
#endif

/// D-BSN's losses of what the network says of a noisy image (spec C.3), each the mean over the pixels of half of:
public enum BayesianLoss: Sendable {
    /// |y − μ|²; the heads take no part.
    case squared
    /// rᵀΣ⁻¹r + (1 − w)·ln det Σ + w·(ln det Σ_n + tr(Σ_n⁻¹Σ_μ)) with Σ = Σ_μ + Σ_n, r = y − μ and w = `firstOrder`,
    /// the share of the determinant that is taken to first order in Σ_μ.
    case variances(firstOrder: Double)

    /// Of the pixels, as the spec's MAP loss has it. It knows the sum of both variances alone: any smaller Σ_n does as
    /// well, with the rest in Σ_μ.
    public static let evidence = variances(firstOrder: 0)
    /// The paper's loss, an upper bound that grows with Σ_μ: it tells both apart, but takes a part of the uncertainty
    /// for noise.
    public static let constrained = variances(firstOrder: 1)
    /// The evidence, with as much of the bound as decides between equals: what could be noise everywhere is noise.
    public static let decided = variances(firstOrder: 0.1)

    /// A loss and its gradients with respect to the maps that the network gave.
    public struct Value: Sendable {
        public let loss: Double
        public let mean: Tensor
        public let uncertainty: Tensor
        public let noise: Tensor
    }

    /// - Parameters:
    ///   - estimate: of `noisy`.
    ///   - noisy: [channels, batch, height, width].
    ///   - pixels: what the sum is divided by, the pixels of the whole batch.
    public func callAsFunction(
        _ estimate: BayesianDBSN.Estimate, _ noisy: Tensor, _ noise: BayesianDBSN.Noise, pixels: Int
    ) -> Value {
        let (mean, uncertainty, raw) = (estimate.mean.tensor, estimate.uncertainty.tensor, estimate.noise.tensor)
        guard case .variances(let w) = self else {
            let (loss, gradient) = squaredError(mean, noisy, scale: 0.5 / Float(pixels))
            return Value(loss: loss, mean: gradient, uncertainty: Tensor(uncertainty.shape), noise: Tensor(raw.shape))
        }
        let maps = Maps(
            noisy: NoiseVariance.rows(noisy), mean: NoiseVariance.rows(mean),
            uncertainty: NoiseVariance.rows(uncertainty), noise: NoiseVariance.rows(raw))
        var found = noise == .multivariate ? joint(maps, w) : separate(maps, w, averaged: noise == .awgn)
        found.scale(0.5 / Double(pixels))
        return Value(
            loss: found.loss, mean: Tensor(mean.shape, found.mean.flatMap { $0 }),
            uncertainty: Tensor(uncertainty.shape, found.uncertainty.flatMap { $0 }),
            noise: Tensor(raw.shape, found.noise.flatMap { $0 }))
    }

    /// Planes of values, or of gradients.
    private struct Maps {
        var noisy: [[Float]] = []
        var mean: [[Float]]
        var uncertainty: [[Float]]
        var noise: [[Float]]
        var loss = 0.0

        /// y − μ of a pixel of three channels.
        func residual(_ p: Int) -> SIMD3<Double> {
            SIMD3(
                Double(noisy[0][p]) - Double(mean[0][p]), Double(noisy[1][p]) - Double(mean[1][p]),
                Double(noisy[2][p]) - Double(mean[2][p]))
        }

        /// Zeros of the same sizes.
        var zeros: Maps {
            func cleared(_ planes: [[Float]]) -> [[Float]] { planes.map { [Float](repeating: 0, count: $0.count) } }
            return Maps(mean: cleared(mean), uncertainty: cleared(uncertainty), noise: cleared(noise))
        }

        mutating func scale(_ factor: Double) {
            loss *= factor
            for path in [\Maps.mean, \.uncertainty, \.noise] {
                for plane in self[keyPath: path].indices {
                    for p in self[keyPath: path][plane].indices { self[keyPath: path][plane][p] *= Float(factor) }
                }
            }
        }
    }

    /// Channels that know nothing of each other. Gradients are those of spec E, "MAP gray" and "constrained".
    ///
    /// - Parameters:
    ///   - w: share of the determinant's first order.
    ///   - averaged: one standard deviation for all pixels of a channel.
    private func separate(_ maps: Maps, _ w: Double, averaged: Bool) -> Maps {
        var found = maps.zeros
        for c in maps.mean.indices {
            let count = maps.mean[c].count
            let average = maps.noise[c].reduce(0) { $0 + Double($1) } / Double(count)
            var ofAverage = 0.0
            for p in 0..<count {
                let z = averaged ? average : Double(maps.noise[c][p])
                let (deviation, h) = (NoiseVariance.deviation(z), Double(maps.uncertainty[c][p]))
                let r = Double(maps.noisy[c][p]) - Double(maps.mean[c][p])
                let (vn, vu) = (deviation * deviation + NoiseVariance.least, h * h)
                let v = vn + vu
                let ofQuadratic = -r * r / (v * v)
                let ofUncertainty = (1 - w) / v + w / vn
                let ofNoise = ofUncertainty - w * vu / (vn * vn)
                found.loss += r * r / v + (1 - w) * log(v) + w * (log(vn) + vu / vn)
                found.mean[c][p] = Float(-2 * r / v)
                found.uncertainty[c][p] = Float((ofUncertainty + ofQuadratic) * 2 * h)
                let ofRaw = (ofNoise + ofQuadratic) * 2 * deviation * NoiseVariance.slope(z)
                if averaged { ofAverage += ofRaw } else { found.noise[c][p] = Float(ofRaw) }
            }
            if averaged { found.noise[c] = [Float](repeating: Float(ofAverage / Double(count)), count: count) }
        }
        return found
    }

    /// Channels with covariances. Gradients are those of spec E, "MAP 3×3".
    private func joint(_ maps: Maps, _ w: Double) -> Maps {
        var found = maps.zeros
        let count = maps.mean[0].count
        let floor = NoiseVariance.least * SymmetricMatrix.identity
        let sum = (0..<count).reduce(SymmetricMatrix.zero) { $0 + SymmetricMatrix(squaring: .init($1, of: maps.noise)) }
        let noise = (1 / Double(count)) * sum + floor
        let ofNoiseAlone = noise.factored
        var ofNoise = SymmetricMatrix.zero
        for p in 0..<count {
            let triangle = SymmetricMatrix.Triangle(p, of: maps.uncertainty)
            let uncertainty = SymmetricMatrix(squaring: triangle)
            let whole = (noise + uncertainty).factored
            let r = maps.residual(p)
            let u = whole.inverse * r
            let ofQuadratic = -1 * SymmetricMatrix(squaring: u)
            let inverse = ofNoiseAlone.inverse
            let trace = SymmetricMatrix.innerProduct(inverse, uncertainty)
            let ofUncertainty = (1 - w) * whole.inverse + w * inverse + ofQuadratic
            ofNoise = ofNoise + ofUncertainty - w * SymmetricMatrix.sandwich(inverse, uncertainty)
            found.loss +=
                (1 - w) * whole.logDeterminant + w * (ofNoiseAlone.logDeterminant + trace) + (r * u).sum()
            for c in 0..<3 { found.mean[c][p] = Float(-2 * u[c]) }
            let slopes = ofUncertainty.gradient(of: triangle)
            for k in 0..<6 { found.uncertainty[k][p] = Float(slopes[k]) }
        }
        let ofAverage = (1 / Double(count)) * ofNoise
        for p in 0..<count {
            let slopes = ofAverage.gradient(of: .init(p, of: maps.noise))
            for k in 0..<6 { found.noise[k][p] = Float(slopes[k]) }
        }
        return found
    }
}
