import Methods
import Networks
import Tensors
import Testing

@Suite struct GoldenTrainingTests {
    @Test(arguments: [2, 5]) func downsamplingIsThePublishedIndexMap(stride: Int) throws {
        let file = try golden("amsnet")
        let input = try #require(file.tensors["downsampling.input"]).swappingChannelsAndBatch()
        let expected = try #require(file.tensors["downsampling.\(stride)"]).swappingChannelsAndBatch()
        let output = pixelDownsample(Variable(input), stride: stride).tensor
        #expect(output.shape == expected.shape)
        #expect(output.values == expected.values)
        #expect(pixelUpsample(Variable(expected), stride: stride).tensor.values == input.values)
    }

    @Test func totalVariationAndItsGradientEqualPyTorch() throws {
        let file = try golden("amsnet")
        let image = try #require(file.tensors["variation.input"]).swappingChannelsAndBatch()
        let value = try #require(file.tensors["variation.value"]).values[0]
        let gradient = try #require(file.tensors["variation.gradient"]).swappingChannelsAndBatch()
        // Against itself an image has no error, so that only λ = 1 times the variation is left.
        let loss = transferLoss(image, image, entries: image.count, smoothness: 1)
        // Sums of nine roots below 1.5 in single precision.
        #expect(abs(loss.value - Double(value)) < 1e-6)
        let error = zip(loss.gradient.values, gradient.values).map { abs($0 - $1) }.max() ?? 1
        // Three quotients of at most 1 over 378 entries.
        #expect(error < 1e-6 * 3 / 378 * 10)
    }

    /// The fixture measured by how much single precision departs from double; another order of sums gets twice that.
    @Test func tenStepsOfAdamWEqualPyTorch() throws {
        let file = try golden("amsnet")
        let deviation = try #require(file.metadata["float32_deviation"].flatMap { Double($0) })
        let network = NAFNetBase(.init(width: 8, encoder: [1, 1], middle: 1, decoder: [1, 1]))
        var weights = try Weights(Self.weights(), for: network)
        var optimiser = AdamW()
        let image = try #require(file.tensors["training.input"]).swappingChannelsAndBatch()
        let masks = try #require(file.tensors["training.hidden"])
        let losses = try #require(file.tensors["training.loss"]).values
        for (step, expected) in losses.enumerated() {
            let count = masks.count / losses.count
            let hidden = Tensor([1, 4, 18, 21], Array(masks.values[step * count..<(step + 1) * count]))
            let entries = 3 * Int(hidden.values.reduce(0, +))
            let tape = Tape()
            let pass = Pass(weights, on: tape)
            let output = network(masked(Variable(image), by: complement(hidden)), pass)
            let loss = maskedLoss(output.tensor, image, hidden: hidden, entries: entries)
            #expect(abs(loss.value / Double(expected) - 1) < 2 * deviation + 1e-6, "step \(step)")
            let gradients = pass.gradients(tape.backward(from: output, seed: loss.gradient))
            try optimiser.step(&weights, gradients, rate: 1e-3)
        }
        #expect(losses.count == 10 && optimiser.steps == 10)
    }

    private static func weights() throws -> [String: Tensor] {
        var weights: [String: Tensor] = [:]
        for (name, tensor) in try golden("nafnet").tensors where name.hasPrefix("weight.") {
            weights[String(name.dropFirst("weight.".count))] = tensor
        }
        return weights
    }
}
