import Foundation
@testable import Methods
import Networks
import Tensors
import TestSupport
import Testing

/// PyTorch's values, made by Tests/Fixtures/DBSN/make.py.
struct BayesianGolden {
    let tensors: [String: Tensor]
    let network: BayesianDBSN
    let weights: Weights

    init(_ noise: BayesianDBSN.Noise) throws {
        tensors = try Safetensors(Fixtures.data("DBSN/\(noise.rawValue).safetensors")).tensors
        network = BayesianDBSN(.init(width: 6, blocks: 2, noise: noise))
        var weights: [String: Tensor] = [:]
        for (name, tensor) in tensors where name.hasPrefix("weight.") {
            weights[String(name.dropFirst("weight.".count))] = tensor
        }
        self.weights = try Weights(weights, for: network)
    }

    func image(_ name: String) throws -> Tensor { try #require(tensors[name]).swappingChannelsAndBatch() }
}

/// Largest difference relative to the largest magnitude expected.
private func deviation(_ actual: Tensor, _ expected: Tensor) -> Float {
    let scale = expected.values.lazy.map(abs).max() ?? 0
    return (zip(actual.values, expected.values).lazy.map { abs($0 - $1) }.max() ?? 0) / max(scale, 1e-12)
}

@Suite struct BayesianTests {
    /// 1e-4: as for the other networks, rounding of a few hundred summed products in single precision.
    @Test(arguments: BayesianDBSN.Noise.allCases) func whatTheNetworkSaysEqualsPyTorch(noise: BayesianDBSN.Noise) throws
    {
        let golden = try BayesianGolden(noise)
        let estimate = golden.network.estimate(Variable(try golden.image("noisy")), Pass(golden.weights))
        #expect(deviation(estimate.mean.tensor, try golden.image("mean")) < 1e-4)
        #expect(deviation(estimate.uncertainty.tensor, try golden.image("uncertainty")) < 1e-4)
        #expect(deviation(estimate.noise.tensor, try golden.image("noise")) < 1e-4)
        let posterior = PosteriorMean(network: golden.network, weights: golden.weights)
            .posterior(estimate, try golden.image("noisy"))
        #expect(deviation(posterior, try golden.image("posterior")) < 1e-4)
    }

    @Test(arguments: BayesianDBSN.Noise.allCases, [("evidence", BayesianLoss.evidence), ("constrained", .constrained)])
    func lossesAndTheirGradientsEqualPyTorch(noise: BayesianDBSN.Noise, named: (String, BayesianLoss)) throws {
        let (name, loss) = named
        let golden = try BayesianGolden(noise)
        let noisy = try golden.image("noisy")
        let tape = Tape()
        let pass = Pass(golden.weights, on: tape)
        let estimate = golden.network.estimate(Variable(noisy), pass)
        let value = loss(estimate, noisy, noise, pixels: noisy.pixels)
        let expected = Double(try #require(golden.tensors["\(name).value"]).values[0])
        #expect(abs(value.loss - expected) < 1e-4 * max(1, abs(expected)))
        let found = pass.gradients(
            tape.backward(from: [
                (estimate.mean, value.mean), (estimate.uncertainty, value.uncertainty), (estimate.noise, value.noise),
            ]))
        for key in golden.weights.tensors.keys {
            let gradient = try #require(golden.tensors["\(name).gradient.\(key)"])
            // 1e-3: quotients by variances magnify the rounding of the maps.
            #expect(deviation(try #require(found[key]), gradient) < 1e-3, "\(key)")
        }
    }

    /// Differences of fourth order along a random direction of all three maps; values near 1, so that steps of 1/64 err
    /// by less than 1e-4.
    @Test(arguments: BayesianDBSN.Noise.allCases, [BayesianLoss.squared, .evidence, .constrained, .decided])
    func gradientsAreTheSlopes(noise: BayesianDBSN.Noise, loss: BayesianLoss) {
        var random = RandomSource(seed: 7)
        let heads = noise == .multivariate ? 6 : 3
        func map(_ channels: Int, _ level: Float) -> [Float] {
            (0..<channels * 30).map { _ in level + random.uniform() - 0.5 }
        }
        let noisy = Tensor([3, 2, 3, 5], map(3, 0.5))
        let maps = [map(3, 0.5), map(heads, 0.8), map(heads, noise == .multivariate ? 0.8 : 4)]
        // All upwards, so that slopes do not cancel.
        let directions = [map(3, 0.5), map(heads, 0.5), map(heads, 0.5)]
        func value(_ distance: Float) -> BayesianLoss.Value {
            let moved = zip(maps, directions).map { map, direction in
                Variable(
                    Tensor([map.count / 30, 2, 3, 5], zip(map, direction).map { $0 + distance * $1 }))
            }
            let estimate = BayesianDBSN.Estimate(mean: moved[0], uncertainty: moved[1], noise: moved[2])
            return loss(estimate, noisy, noise, pixels: 30)
        }
        let here = value(0)
        let gradient = zip([here.mean, here.uncertainty, here.noise], directions).reduce(0.0) { sum, pair in
            sum + zip(pair.0.values, pair.1).reduce(0) { $0 + Double($1.0 * $1.1) }
        }
        let step: Float = 1 / 64
        let near = value(step).loss - value(-step).loss, far = value(2 * step).loss - value(-2 * step).loss
        let slope = (8 * near - far) / (12 * Double(step))
        #expect(abs(slope) > 0.01)
        #expect(abs(gradient - slope) < 1e-3 * max(abs(slope), 0.1))
    }

    /// The gradient of one output pixel: nothing at that pixel itself, something up to 50 pixels away, nothing beyond.
    /// Winograd's sums leave rounding of 1e-7 a layer in neighbours that share a tile.
    @Test func theMeanDoesNotSeeItsOwnPixelAndSees50Far() throws {
        let network = BayesianDBSN(.init(width: 4, blocks: 8, noise: .awgn))
        var weights = Weights(initialising: network, seed: 3)
        // Positive weights, so that no path ends in a ReLU or in another path.
        for (name, tensor) in weights.tensors {
            weights.tensors[name] = Tensor(tensor.shape, tensor.values.map { abs($0) + 0.01 })
        }
        let (side, centre) = (107, 53)
        let tape = Tape()
        let image = tape.variable(Tensor([3, 1, side, side], repeating: 0.5))
        let output = network(image, Pass(weights))
        var seed = Tensor(output.tensor.shape)
        seed.withMutablePointer { $0[centre * side + centre] = 1 }
        let gradient = try #require(tape.backward(from: output, seed: seed)[image]).values
        let largest = gradient.map(abs).max() ?? 0
        func seen(_ row: Int, _ column: Int) -> Float {
            (0..<3).map { abs(gradient[($0 * side + row) * side + column]) / largest }.max() ?? 0
        }
        #expect(seen(centre, centre) < 1e-5)
        #expect(seen(centre, centre + 1) > 1e-3 && seen(centre - 1, centre - 1) > 1e-3)
        for distance in 51...53 { #expect(seen(centre, centre + distance) < 1e-7) }
        let reach = (1...53).last { seen(centre, centre + $0) > 1e-7 } ?? 0
        #expect((30...50).contains(reach))
        #expect(network.tiling.overlap == 50)
    }

    /// Σ⁻¹ and ln det Σ of a matrix whose values are known.
    @Test func choleskyGivesInverseAndDeterminant() {
        var planes = [[Float]](repeating: [0], count: 6)
        for (k, value) in [2, 1, 0.5, 3, -1, 4].enumerated() { planes[k][0] = Float(value) }
        let matrix = SymmetricMatrix(squaring: .init(0, of: planes))
        let (logDeterminant, inverse) = matrix.factored
        // The determinant of a triangle squared: (2·3·4)².
        #expect(abs(logDeterminant - 2 * log(24.0)) < 1e-12)
        for axis in [SIMD3<Double>(1, 0, 0), SIMD3(0, 1, 0), SIMD3(0, 0, 1)] {
            let back = matrix * (inverse * axis)
            #expect((back - axis).indices.allSatisfy { abs((back - axis)[$0]) < 1e-12 })
        }
    }

    /// Which parameters each stage changes, and that its optimiser can be resumed from the first step on.
    @Test(arguments: [
        (Objective.blindMean, ["dbsn"]), (.noise, ["sigma_mu", "sigma_n"]),
        (.bayesian, ["dbsn", "sigma_mu", "sigma_n"]),
    ]) func everyStageTrainsItsOwnPart(objective: Objective, groups: [String]) throws {
        let network = BayesianDBSN(.init(width: 4, blocks: 1, noise: .heteroscedastic))
        let start = Weights(initialising: network, seed: 2)
        let plan = TrainingPlan(
            stages: [.init(objective, steps: 1, rate: 1e-3)], batch: 2, crop: 20, downsampling: 2)
        var trainers = [1, 2].map { _ in Trainer(network: network, plan: plan, weights: start) }
        for index in trainers.indices { _ = try trainers[index].advance(from: RampSource(), threads: index + 1) }
        #expect(trainers[0].weights.bits == trainers[1].weights.bits)
        for group in BayesianDBSN.Group.allCases {
            let changed = network.trainedParameters.contains {
                group.holds($0.name) && trainers[0].weights.tensors[$0.name]?.values != start.tensors[$0.name]?.values
            }
            #expect(changed == groups.contains(group.rawValue), "\(group)")
        }
        _ = try Weights(trainers[0].optimiser.first, named: network.trainedParameters)
    }

    @Test func otherNetworksCannotBeTaughtAsDBSN() {
        for objective in [Objective.blindMean, .noise, .bayesian] {
            let plan = TrainingPlan(stages: [.init(objective, steps: 1, rate: 1e-3)], batch: 1, crop: 20)
            var trainer = Trainer(network: Toy.network, plan: plan, weights: Toy.weights)
            #expect(throws: TrainingError.self) { try trainer.advance(from: RampSource(), threads: 1) }
        }
    }
}
