import Foundation
import Networks
import Tensors
import TestSupport
import Testing

/// PyTorch's output and every gradient, made by Tests/Fixtures/Networks/make.py.
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

/// Largest difference, relative to the largest magnitude of `expected`.
func relativeError(_ actual: Tensor, _ expected: Tensor) -> Float {
    precondition(actual.shape == expected.shape)
    let scale = expected.values.lazy.map(abs).max() ?? 0
    let error = zip(actual.values, expected.values).lazy.map { abs($0 - $1) }.max() ?? 0
    return error / max(scale, 1e-12)
}

@Suite struct GoldenTests {
    static let cases: [(String, NetworkConfiguration)] = [
        ("restormer", .restormer(.init(dim: 8, blocks: [1, 1, 1, 1], refinement: 1, heads: [1, 2, 2, 4]))),
        ("nafnet", .nafnet(.init(width: 8, encoder: [1, 1], middle: 1, decoder: [1, 1]))),
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
            // Gradients sum over all pixels, in another order than PyTorch's.
            #expect(relativeError(actual, gradient) < 5e-4, "gradient of \(name)")
        }
    }

    @Test func inferenceEqualsTheRecordedForwardPass() throws {
        let golden = try Golden("nafnet")
        let network = Self.cases[1].1.makeNetwork()
        let weights = try Weights(golden.group("weight."), for: network)
        let input = try golden.image("input")
        let recorded = network(Variable(input), Pass(weights, on: Tape())).tensor
        #expect(network.infer(input, weights).values == recorded.values)
    }

    @Test(arguments: [
        (NetworkConfiguration.restormer(.published), 26_111_668, 406, 154.88),
        (NetworkConfiguration.nafnet(.published), 29_056_227, 736, 15.87),
    ]) func publishedNetworksHaveTheirPublishedSizes(
        configuration: NetworkConfiguration, parameters: Int, tensors: Int, gmacAt256: Double
    ) {
        let network = configuration.makeNetwork()
        #expect(network.parameterCount == parameters)
        #expect(network.parameters.count == tensors)
        #expect(abs(network.multiplicationsPerPixel * 65536 / 1e9 - gmacAt256) < 0.01)
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
