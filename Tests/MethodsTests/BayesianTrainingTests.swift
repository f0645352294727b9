import Foundation
@testable import Methods
import Networks
import Tensors
import TestSupport
import Testing

/// D-BSN's three stages together.
@Suite struct BayesianTrainingTests {
    /// Crops under noise of which everything is known; always the same one where `isFixed`.
    ///
    /// Half of a crop is dark and flat, the other half bright and of a texture that nobody can foresee: there, and only
    /// there, is the mean unsure. Noise that grows with brightness gets a ramp in place of both, as it could not be
    /// told from what is bright alone.
    struct HalvesSource: TrainingSource {
        let noise: BayesianDBSN.Noise
        var isFixed = false

        static let dark: Float = 0.35
        /// Rows of U with Σ = U·Uᵀ.
        static let triangle: [[Float]] = [[0.07, 0.06, 0.02], [0, 0.06, 0.04], [0, 0, 0.09]]

        func sample(for objective: Objective, crop: Int, key: UInt64) throws -> TrainingSample {
            var random = RandomSource(seed: isFixed ? 1 : key)
            let isAcross = random.uniform() < 0.5
            var clean: [Float] = []
            var noises: [SIMD3<Float>] = []
            for p in 0..<crop * crop {
                let place = isAcross ? p % crop : p / crop
                let texture = 0.4 * random.uniform() - 0.2
                let value =
                    noise == .heteroscedastic
                    ? 0.2 + 0.6 * Float(place) / Float(crop) : 2 * place < crop ? 0.65 + texture : Self.dark
                clean.append(value)
                let e = SIMD3(random.normal(), random.normal(), random.normal())
                switch noise {
                case .awgn: noises.append(e * (25 / 255))
                case .heteroscedastic: noises.append(e * (15 / 255) * (1 + value))
                case .multivariate:
                    let rows = Self.triangle.map { $0[0] * e.x + $0[1] * e.y + $0[2] * e.z }
                    noises.append(SIMD3(rows[0], rows[1], rows[2]))
                }
            }
            let noisy = (0..<3).flatMap { c in clean.indices.map { clean[$0] + noises[$0][c] } }
            let shape = [3, 1, crop, crop]
            return TrainingSample(noisy: Tensor(shape, noisy), clean: Tensor(shape, clean + clean + clean))
        }
    }

    /// Seconds of training; three stages as long as that makes them. The posterior mean must be nearer to the truth
    /// than the mean. With heads of PyTorch's first values and the evidence alone it was not, and the noise found was a
    /// quarter of what it is.
    private func trained(_ noise: BayesianDBSN.Noise) throws -> (PosteriorMean, [TrainingSample]) {
        let network = BayesianDBSN(.init(width: 12, blocks: 1, noise: noise))
        let stages = [
            TrainingPlan.Stage(.blindMean, steps: 150, rate: 2e-3), .init(.noise, steps: 140, rate: 2e-3),
            .init(.bayesian, steps: 30, rate: 2e-4),
        ]
        var trainer = Trainer(
            network: network, plan: TrainingPlan(stages: stages, batch: 4, crop: 32, seed: 1),
            weights: Weights(initialising: network, seed: 1))
        let source = HalvesSource(noise: noise)
        while !trainer.isFinished { _ = try trainer.advance(from: source, threads: 2) }

        let samples = try (0..<16).map { try source.sample(for: .bayesian, crop: 48, key: 1 << 40 + $0) }
        let method = PosteriorMean(network: network, weights: trainer.weights)
        func error(_ denoise: (Tensor) -> Tensor) throws -> Double {
            try samples.reduce(0) { sum, sample in
                let difference = subtract(Variable(denoise(sample.noisy)), Variable(try #require(sample.clean))).tensor
                return sum + difference.values.reduce(0) { $0 + Double($1 * $1) }
            }
        }
        #expect(try error { method.denoise($0) } < error { network.infer($0, method.weights) })
        return (method, samples)
    }

    /// What the heads take for noise is what the mean leaves where nothing is unsure, on the flat half: to 10 %. All
    /// pixels together leave a quarter more or so.
    @Test(arguments: [BayesianDBSN.Noise.awgn, .multivariate])
    func aShortTrainingTellsNoiseFromTexture(noise: BayesianDBSN.Noise) throws {
        let (method, samples) = try trained(noise)
        let found = method.noiseDeviations(of: samples.map(\.noisy))
        var (flat, all) = ([Double](repeating: 0, count: 3), [Double](repeating: 0, count: 3))
        var counted = 0
        for sample in samples {
            let residual = subtract(
                Variable(sample.noisy), Variable(method.network.infer(sample.noisy, method.weights))
            ).tensor
            let squares = NoiseVariance.rows(residual).map { $0.map { Double($0 * $0) } }
            let isFlat = NoiseVariance.rows(try #require(sample.clean))[0].map { $0 == HalvesSource.dark }
            counted += isFlat.count { $0 }
            for c in 0..<3 {
                for (p, square) in squares[c].enumerated() {
                    all[c] += square
                    if isFlat[p] { flat[c] += square }
                }
            }
        }
        for c in 0..<3 {
            let (ofFlat, ofAll) = (
                (flat[c] / Double(counted)).squareRoot(), (all[c] / Double(2 * counted)).squareRoot()
            )
            #expect(abs(found[c] / ofFlat - 1) < 0.1, "\(255 * found[c]) in place of \(255 * ofFlat)")
            #expect(ofAll / ofFlat > 1.12)
        }
    }

    /// 15 of 255 where it is black and twice that at white: the curve is found to 15 %.
    @Test func aShortTrainingFindsHowNoiseGrowsWithBrightness() throws {
        let (method, _) = try trained(.heteroscedastic)
        let network = try #require(method.network as? BayesianDBSN)
        func found(at brightness: Float) -> Double {
            let image = Variable(Tensor([3, 1, 2, 2], repeating: brightness))
            let said = network.noise(of: image, Pass(method.weights)).tensor
            return NoiseVariance.deviations(said, .heteroscedastic).reduce(0, +) / 3
        }
        #expect(abs(found(at: 0.7) / found(at: 0.3) / (1.7 / 1.3) - 1) < 0.15)
    }

    /// A rate of 0 leaves what the second stage begins with: nine tenths of the residual's variance are noise.
    @Test(arguments: BayesianDBSN.Noise.allCases) func headsBeginWithTheMeansResidual(noise: BayesianDBSN.Noise) throws
    {
        let network = BayesianDBSN(.init(width: 4, blocks: 1, noise: noise))
        let start = Weights(initialising: network, seed: 4)
        let source = HalvesSource(noise: noise, isFixed: true)
        let plan = TrainingPlan(stages: [.init(.noise, steps: 1, rate: 0)], batch: 1, crop: 24)
        var trainer = Trainer(network: network, plan: plan, weights: start)
        _ = try trainer.advance(from: source, threads: 1)
        let noisy = try source.sample(for: .noise, crop: 24, key: 0).noisy
        let residual = subtract(Variable(noisy), Variable(network.infer(noisy, start))).tensor
        let expected = SymmetricMatrix(meanSquareOf: residual)
        let estimate = network.estimate(Variable(noisy), Pass(trainer.weights))
        let found = NoiseVariance.deviations(estimate.noise.tensor, noise)
        // 1e-3: heads are single precision, and the least deviation is added to them.
        for c in 0..<3 {
            #expect(abs(found[c] / (0.9 * expected.diagonal[c]).squareRoot() - 1) < 1e-3)
        }
        guard noise == .multivariate else { return }
        let covariance = NoiseVariance.covariance(estimate.noise.tensor)
        for axis in [SIMD3<Double>(1, 2, 0), SIMD3(0, 1, -1), SIMD3(1, 0, 1)] {
            let difference = covariance * axis - 0.9 * (expected * axis)
            #expect(difference.indices.allSatisfy { abs(difference[$0]) < 1e-4 })
        }
    }

    /// Noise of a strength that is known is drawn with it: 48×48 pixels scatter by a hundredth, strengths by a tenth.
    @Test(arguments: BayesianDBSN.Noise.allCases) func learnedNoiseIsDrawnAsTheHeadSays(noise: BayesianDBSN.Noise)
        throws
    {
        let network = BayesianDBSN(.init(width: 4, blocks: 1, noise: noise))
        let upper = [0.07, 0.06, 0.02, 0.06, 0.04, 0.09]
        let said = noise == .multivariate ? upper : [0.05, 0.1, 0.2].map(NoiseVariance.raw)
        let weights = network.weights(
            Weights(initialising: network, seed: 1),
            whereHeadsSay: Array(repeating: 0.1, count: said.count), of: said)
        let clean = Tensor([3, 1, 48, 48], repeating: 0.5)
        let method = PosteriorMean(network: network, weights: weights)
        let drawn = (0..<8).map { method.noisy(clean, seed: $0) }
        for image in drawn {
            let noise = subtract(Variable(image), Variable(clean)).tensor
            let found = SymmetricMatrix(meanSquareOf: noise).deviations
            let expected = method.noiseDeviations(of: [clean])
            for c in 0..<3 { #expect((0.85...1.15).contains(found[c] / expected[c])) }
        }
        #expect(Set(drawn.map(\.values)).count == 8)
        #expect(method.noisy(clean, seed: 3).values == drawn[3].values)
    }
}
