import Networks
import Tensors

/// D-BSN inference: the blind spot's mean and the noisy pixel, weighted by how sure both are (spec C.4):
/// x̂ = μ + Σ_μ(Σ_μ + Σ_n/γ)⁻¹(y − μ).
public struct PosteriorMean: TileDenoiser {
    let model: BayesianDBSN
    public let weights: Weights
    public let stride: Int
    /// γ, the precision of the noisy pixel beside what the noise head says; the authors test with 0.9 to 1.
    public let confidence: Double
    /// What the noise head says, averaged over the whole photograph, where the noise is the same everywhere.
    private let noise: Noise?

    private enum Noise {
        case deviations([Double])
        case covariance(SymmetricMatrix)
    }

    public var network: any Network { model }
    public var passes: Int { 1 }

    /// - Parameters:
    ///   - stride: of pixel downsampling; 1 for noise that neighbours do not share.
    ///   - sample: of the photograph, to measure noise that is the same everywhere; nil: every tile measures its own.
    public init(
        network: BayesianDBSN, weights: Weights, stride: Int = 1, confidence: Double = 1,
        sample: PhotographPixels? = nil
    ) {
        model = network
        self.weights = weights
        self.stride = stride
        self.confidence = confidence
        noise = sample.flatMap { Self.noise(in: $0, network, weights) }
    }

    /// - Parameter noisy: [3, 1, height, width] in [0, 1], any size; padded with zeros to the alignment.
    /// - Returns: [3, 1, height, width], not clamped.
    public func denoise(_ noisy: Tensor, row: Int = 0, column: Int = 0, threads: Int = 1) -> Tensor {
        let input = padded(Variable(noisy), height: roundUp(noisy.height), width: roundUp(noisy.width))
        let subImages = pixelDownsample(input, stride: stride)
        let estimate = model.estimate(subImages, Pass(weights))
        let output = posterior(estimate, subImages.tensor)
        return cropped(pixelUpsample(Variable(output), stride: stride), height: noisy.height, width: noisy.width).tensor
    }

    /// The posterior mean of sub-images.
    func posterior(_ estimate: BayesianDBSN.Estimate, _ noisy: Tensor) -> Tensor {
        let y = NoiseVariance.rows(noisy), μ = NoiseVariance.rows(estimate.mean.tensor)
        let h = NoiseVariance.rows(estimate.uncertainty.tensor)
        if model.noiseModel == .multivariate {
            guard case .covariance(let covariance)? = noise ?? Self.noise(estimate.noise.tensor, .multivariate) else {
                return estimate.mean.tensor
            }
            return Tensor(noisy.shape, joint(y, μ, h, noise: covariance).flatMap { $0 })
        }
        let z = NoiseVariance.rows(estimate.noise.tensor)
        var deviations: [Double]?
        if case .deviations(let same)? = noise ?? Self.noise(estimate.noise.tensor, model.noiseModel) {
            deviations = same
        }
        let planes = y.indices.map { c in
            y[c].indices.map { p in
                let deviation = deviations?[c] ?? NoiseVariance.deviation(Double(z[c][p]))
                let ofMean = Double(h[c][p]) * Double(h[c][p])
                let ofNoise = (deviation * deviation + NoiseVariance.least) / confidence
                return μ[c][p] + Float(ofMean / (ofMean + ofNoise)) * (y[c][p] - μ[c][p])
            }
        }
        return Tensor(noisy.shape, planes.flatMap { $0 })
    }

    private func joint(_ y: [[Float]], _ μ: [[Float]], _ h: [[Float]], noise: SymmetricMatrix) -> [[Float]] {
        let ofNoise = (1 / confidence) * (noise + NoiseVariance.least * SymmetricMatrix.identity)
        var planes = μ
        for p in y[0].indices {
            let ofMean = SymmetricMatrix(squaring: .init(p, of: h))
            let r = SIMD3(
                Double(y[0][p]) - Double(μ[0][p]), Double(y[1][p]) - Double(μ[1][p]),
                Double(y[2][p]) - Double(μ[2][p]))
            let correction = ofMean * ((ofMean + ofNoise).factored.inverse * r)
            for c in 0..<3 { planes[c][p] += Float(correction[c]) }
        }
        return planes
    }

    /// Noise that is the same for all pixels of a map; nil where it is not.
    private static func noise(_ raw: Tensor, _ kind: BayesianDBSN.Noise) -> Noise? {
        switch kind {
        case .awgn: .deviations(NoiseVariance.deviations(raw, kind))
        case .multivariate: .covariance(NoiseVariance.covariance(raw))
        case .heteroscedastic: nil
        }
    }

    /// The same over a sample, 32 rows at a time; the noise head sees single pixels.
    private static func noise(in sample: PhotographPixels, _ network: BayesianDBSN, _ weights: Weights) -> Noise? {
        guard network.noiseModel != .heteroscedastic else { return nil }
        let bands = Swift.stride(from: 0, to: sample.height, by: 32).map { $0..<min($0 + 32, sample.height) }
        let raw = bands.map { rows in
            let band = network.noise(of: Variable(sample.window(rows, 0..<sample.width)), Pass(weights)).tensor
            return (share: Double(rows.count) / Double(sample.height), band: band)
        }
        if network.noiseModel == .multivariate {
            return .covariance(raw.reduce(.zero) { $0 + $1.share * NoiseVariance.covariance($1.band) })
        }
        let means = raw.reduce([Double](repeating: 0, count: 3)) { sums, next in
            zip(sums, NoiseVariance.means(next.band)).map { $0 + next.share * $1 }
        }
        return .deviations(means.map(NoiseVariance.deviation))
    }
}
