import Tensors
import Testing

/// Blocks in bands against the same blocks in single operations.
@Suite struct BlockTests {
    /// Images narrower than a band, as wide as one, and wider than a strip; heights around the rows of a band.
    static let planes = [(2, 3, 32), (1, 9, 40), (2, 5, 161), (1, 2, 330)].map {
        Planes(batch: $0.0, height: $0.1, width: $0.2)
    }

    /// Two orders of summation of some hundred products of values near 1.
    private let tolerance = 2e-5

    @Test(arguments: planes, [5, 300])
    func gatedFeedForwardInBandsIsTheSameFunction(planes: Planes, hidden: Int) {
        let channels = 6
        let x = planes.activation(channels, seed: 1)
        let w = [
            random([channels], seed: 2), random([2 * hidden, channels, 1, 1], seed: 3),
            random([2 * hidden, 1, 3, 3], seed: 4), random([channels, hidden, 1, 1], seed: 5, in: -0.1...0.1),
        ].map { Variable($0) }
        let y = gatedFeedForward(
            Variable(x), GatedFeedForwardWeights(norm: w[0], expand: w[1], depthwise: w[2], contract: w[3]))
        let wide = depthwise3x3(pointwise(biasFreeNorm(Variable(x), weight: w[0]), weight: w[1]), weight: w[2])
        let expected = add(Variable(x), pointwise(geluGate(wide), weight: w[3]))
        #expect(scaledDeviation(y.tensor, expected.tensor) < tolerance)
    }

    @Test(arguments: planes, [(4, 2), (280, 7)])
    func attentionInTwoSweepsIsTheSameFunction(planes: Planes, shape: (Int, Int)) {
        let (channels, heads) = shape
        let x = planes.activation(channels, seed: 6)
        let w = [
            random([channels], seed: 7), random([heads, 1, 1], seed: 8),
            random([3 * channels, channels, 1, 1], seed: 9, in: -0.3...0.3), random([3 * channels, 1, 3, 3], seed: 10),
            random([channels, channels, 1, 1], seed: 11, in: -0.3...0.3),
        ].map { Variable($0) }
        let y = attentionBlock(
            Variable(x),
            AttentionBlockWeights(norm: w[0], temperature: w[1], qkv: w[2], depthwise: w[3], project: w[4]),
            heads: heads)
        let qkv = depthwise3x3(pointwise(biasFreeNorm(Variable(x), weight: w[0]), weight: w[2]), weight: w[3])
        let mixed = transposedAttention(qkv, temperature: w[1], heads: heads)
        let expected = add(Variable(x), pointwise(mixed, weight: w[4]))
        #expect(scaledDeviation(y.tensor, expected.tensor) < tolerance)
    }

    @Test(arguments: planes, [4, 500])
    func aNAFBlockInTwoSweepsIsTheRecordedOne(planes: Planes, channels: Int) {
        let x = planes.activation(channels, seed: 12)
        let block = nafWeights(channels)
        let banded = nafBlock(Variable(x), block).tensor
        let recorded = nafBlock(Tape().variable(x), block).tensor
        #expect(scaledDeviation(banded, recorded) < tolerance)
    }

    /// Directional slopes of blocks that keep what they write.
    @Test func gradientsAreTheSlopes() {
        let planes = Planes(batch: 1, height: 3, width: 33)
        let (x, hidden) = (planes.activation(4, seed: 20), 3)
        let feed = [
            x, random([4], seed: 21), random([2 * hidden, 4, 1, 1], seed: 22), random([2 * hidden, 1, 3, 3], seed: 23),
            random([4, hidden, 1, 1], seed: 24),
        ]
        // The norm and GELU are smooth: the fourth-order slope errs by rounding, 6e-8·√(sum) over the step.
        #expect(
            directionalError(feed, step: 1e-2) {
                gatedFeedForward(
                    $0[0], GatedFeedForwardWeights(norm: $0[1], expand: $0[2], depthwise: $0[3], contract: $0[4]))
            } < 2e-3)
        let attention = [
            x, random([4], seed: 25), random([2, 1, 1], seed: 26), random([12, 4, 1, 1], seed: 27),
            random([12, 1, 3, 3], seed: 28), random([4, 4, 1, 1], seed: 29),
        ]
        #expect(
            directionalError(attention, step: 1e-2) {
                attentionBlock(
                    $0[0],
                    AttentionBlockWeights(
                        norm: $0[1], temperature: $0[2], qkv: $0[3], depthwise: $0[4], project: $0[5]),
                    heads: 2)
            } < 2e-3)
    }

    /// Six images of more pixels than are kept, recomputed one by one.
    private static let large = Planes(batch: 6, height: 29, width: 30)

    @Test func aRecomputedFeedForwardBlockHasTheGradientsOfItsOperations() {
        let large = Self.large
        #expect(large.batch * large.height * large.width > mostPixelsKept)
        let hidden = 3
        let inputs = [
            large.activation(4, seed: 20), random([4], seed: 21), random([2 * hidden, 4, 1, 1], seed: 22),
            random([2 * hidden, 1, 3, 3], seed: 23), random([4, hidden, 1, 1], seed: 24),
        ]
        let found = gradients(inputs) {
            gatedFeedForward(
                $0[0], GatedFeedForwardWeights(norm: $0[1], expand: $0[2], depthwise: $0[3], contract: $0[4]))
        }
        let expected = gradients(inputs) {
            let wide = depthwise3x3(pointwise(biasFreeNorm($0[0], weight: $0[1]), weight: $0[2]), weight: $0[3])
            return add($0[0], pointwise(geluGate(wide), weight: $0[4]))
        }
        for (found, expected) in zip(found, expected) { #expect(scaledDeviation(found, expected) < tolerance) }
    }

    /// Recomputed; and kept, with more and with fewer pixels in an image than channels.
    @Test(arguments: [large, Planes(batch: 3, height: 5, width: 7), Planes(batch: 5, height: 1, width: 3)])
    func anAttentionBlockHasTheGradientsOfItsOperations(planes: Planes) {
        let inputs = [
            planes.activation(4, seed: 20), random([4], seed: 25), random([2, 1, 1], seed: 26),
            random([12, 4, 1, 1], seed: 27), random([12, 1, 3, 3], seed: 28), random([4, 4, 1, 1], seed: 29),
        ]
        let found = gradients(inputs) {
            attentionBlock(
                $0[0],
                AttentionBlockWeights(norm: $0[1], temperature: $0[2], qkv: $0[3], depthwise: $0[4], project: $0[5]),
                heads: 2)
        }
        let expected = gradients(inputs) {
            let qkv = depthwise3x3(pointwise(biasFreeNorm($0[0], weight: $0[1]), weight: $0[3]), weight: $0[4])
            return add($0[0], pointwise(transposedAttention(qkv, temperature: $0[2], heads: 2), weight: $0[5]))
        }
        for (found, expected) in zip(found, expected) { #expect(scaledDeviation(found, expected) < tolerance) }
    }

    private func gradients(_ inputs: [Tensor], of operation: ([Variable]) -> Variable) -> [Tensor] {
        let tape = Tape()
        let leaves = inputs.map { tape.variable($0) }
        let output = operation(leaves)
        let found = tape.backward(from: output, seed: random(output.tensor.shape, seed: 30))
        return leaves.compactMap { found[$0] }
    }

    /// Weights are packed once and kept; a mutation must be seen.
    @Test func changedWeightsAreUsed() {
        let x = Variable(Tensor([1, 1, 1, 2], [1, 2]))
        var weight = Tensor([1, 1, 1, 1], [3])
        #expect(pointwise(x, weight: Variable(weight)).tensor.values == [3, 6])
        weight.withMutablePointer { $0[0] = 5 }
        #expect(pointwise(x, weight: Variable(weight)).tensor.values == [5, 10])
    }

    private func nafWeights(_ channels: Int) -> NAFBlockWeights {
        func layer(_ shape: [Int], _ seed: UInt64) -> NAFBlockWeights.Layer {
            let scale = 1 / Float(max(shape.dropFirst().reduce(1, *), 1)).squareRoot()
            return (
                Variable(random(shape, seed: seed, in: -scale...scale)), Variable(random([shape[0]], seed: seed + 50))
            )
        }
        let square = [channels, channels, 1, 1]
        return NAFBlockWeights(
            norm1: layer([channels], 1), conv1: layer(square, 2), conv2: layer([channels, 1, 3, 3], 3),
            gate: SqueezeExciteWeights(
                reduce: layer([channels / 2, channels, 1, 1], 4), expand: layer([channels, channels / 2, 1, 1], 5)),
            conv3: layer(square, 6), beta: layer([channels], 7).weight, norm2: layer([channels], 8),
            conv4: layer([2 * channels, channels, 1, 1], 9), conv5: layer([channels, 2 * channels, 1, 1], 10),
            gamma: layer([channels], 11).weight)
    }
}

/// The largest difference relative to the largest magnitude.
private func scaledDeviation(_ actual: Tensor, _ expected: Tensor) -> Double {
    let scale = Double(expected.values.map(abs).max() ?? 1)
    return deviation(actual.values, expected.values.doubles) / scale
}
