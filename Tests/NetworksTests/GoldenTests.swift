import Foundation
import Networks
import Tensors
import TestSupport
import Testing

/// PyTorch's output and every gradient, made by make.py and denoisers.py in Tests/Fixtures/Networks.
struct Golden {
    let tensors: [String: Tensor]

    init(_ name: String) throws {
        tensors = try Safetensors(Fixtures.data("Networks/\(name).safetensors")).tensors
    }

    /// Tensors are stored batch first, as PyTorch has them.
    func image(_ name: String) throws -> Tensor { try #require(tensors[name]).swappingChannelsAndBatch() }

    func group(_ prefix: String) -> [String: Tensor] {
        var group: [String: Tensor] = [:]
        for (name, tensor) in tensors where name.hasPrefix(prefix) {
            group[String(name.dropFirst(prefix.count))] = tensor
        }
        return group
    }
}

/// Largest difference, relative to the largest magnitude of `expected`, or to `scale` where that is larger.
func relativeError(_ actual: Tensor, _ expected: Tensor, scale: Float = 0) -> Float {
    precondition(actual.shape == expected.shape)
    let scale = max(expected.values.lazy.map(abs).max() ?? 0, scale)
    let error = zip(actual.values, expected.values).lazy.map { abs($0 - $1) }.max() ?? 0
    return error / max(scale, 1e-12)
}

@Suite struct GoldenTests {
    static let cases: [(String, NetworkConfiguration)] = [
        ("restormer", .restormer(.init(dim: 8, blocks: [1, 1, 1, 1], refinement: 1, heads: [1, 2, 2, 4]))),
        ("nafnet", .nafnet(.init(width: 8, encoder: [1, 1], middle: 1, decoder: [1, 1]))),
        ("nafnet-simplegate", .nafnetSimpleGate(.init(width: 4, encoder: [1, 1], middle: 1, decoder: [1, 1]))),
        ("unet", .unet(.init(width: 4, head: 6))),
        ("student", .student(.init(width: 4, decoder: 6))),
        ("dncnn", .dncnn(.init(width: 6, convolutions: 4))),
        ("d-a", .dbsn(.init(width: 6, modules: 2, isDilated: true))),
        ("d-as", .dbsn(.init(width: 6, modules: 2, isDilated: false))),
        ("deamnet", .deamnet(.init(width: 4, reduced: 2))),
        ("mwcnn", .mwcnn(.init(widths: [5, 6, 4]))),
    ]

    /// 1e-4: two orders of magnitude above the rounding of a few hundred summed products in single precision.
    @Test(arguments: cases) func outputAndGradientsEqualPyTorch(name: String, configuration: NetworkConfiguration)
        throws
    {
        let golden = try Golden(name)
        let network = configuration.makeNetwork()
        let weights = try Weights(golden.group("weight."), for: network)
        let tape = Tape()
        let pass = Pass(weights, on: tape)
        let input = tape.variable(try golden.image("input"))
        let output = network(input, pass)
        #expect(relativeError(output.tensor, try golden.image("output")) < 1e-4)

        let target = try golden.image("target")
        let scale = 1 / Float(target.count)
        let seed = Tensor(
            target.shape, zip(output.tensor.values, target.values).map { $0 > $1 ? scale : $0 < $1 ? -scale : 0 })
        let gradients = tape.backward(from: output, seed: seed)
        let inputGradient = try #require(gradients[input])
        #expect(relativeError(inputGradient, try golden.image("gradient.input")) < 1e-4)
        let parameters = pass.gradients(gradients)
        let expected = golden.group("gradient.").filter { $0.key != "input" }
        #expect(Set(parameters.keys) == Set(expected.keys))
        for (name, gradient) in expected {
            let actual = try #require(parameters[name])
            // Gradients sum over all pixels, in another order than PyTorch's. A bias before batch normalisation has
            // none but rounding: it is measured by the gradient of the weight beside it.
            let scale = name.hasSuffix(".bias") ? expected[name.dropLast(4) + "weight"]?.values.map(abs).max() : nil
            #expect(relativeError(actual, gradient, scale: scale ?? 0) < 5e-4, "gradient of \(name)")
        }
    }

    /// 1e-5: a mean over hundreds of values, and the rounding of the convolutions in front of it.
    @Test func trainingMovesTheRunningStatisticsAsPyTorchDoes() throws {
        let golden = try Golden("dncnn")
        let network = DnCNN(.init(width: 6, convolutions: 4))
        let pass = Pass(try Weights(golden.group("weight."), for: network), on: Tape())
        _ = network(Variable(try golden.image("input")), pass)
        let expected = golden.group("statistic.")
        #expect(Set(pass.statistics.keys) == Set(expected.keys))
        for (name, tensor) in expected {
            #expect(relativeError(try #require(pass.statistics[name]), tensor) < 1e-5, "\(name)")
        }
    }

    /// Folding rounds each weight once more.
    @Test func inferenceFoldsTheRunningStatisticsIntoTheConvolutions() throws {
        let golden = try Golden("dncnn")
        let network = DnCNN(.init(width: 6, convolutions: 4))
        let weights = try Weights(golden.group("weight."), for: network)
        let output = network.infer(try golden.image("input"), weights)
        #expect(relativeError(output, try golden.image("inference")) < 1e-5)
    }

    @Test func inferenceEqualsTheRecordedForwardPass() throws {
        let golden = try Golden("nafnet")
        let network = Self.cases[1].1.makeNetwork()
        let weights = try Weights(golden.group("weight."), for: network)
        let input = try golden.image("input")
        let recorded = network(Variable(input), Pass(weights, on: Tape())).tensor
        #expect(network.infer(input, weights).values == recorded.values)
    }

    @Test func strictLoadingNamesWhatDoesNotFit() throws {
        let network = Self.cases[1].1.makeNetwork()
        var tensors = try Golden("nafnet").group("weight.")
        tensors["intro.weight"] = Tensor([8, 3, 3, 1])
        tensors["ending.bias"] = nil
        tensors["extra"] = Tensor([1])
        let error = #expect(throws: CheckpointError.self) { try Weights(tensors, for: network) }
        let text = error?.description ?? ""
        #expect(text.contains("unknown tensor extra"))
        #expect(text.contains("missing tensor ending.bias"))
        #expect(text.contains("intro.weight has shape [8, 3, 3, 1] instead of [8, 3, 3, 3]"))
    }
}
