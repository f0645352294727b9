import Tensors
import Testing

@Suite struct ShuffleTests {
    /// Every value is its own index, so that a result is an index map. Floats count to 2²⁴.
    static func indices(_ shape: [Int]) -> Tensor {
        Tensor(shape, (0..<shape.reduce(1, *)).map { Float($0) })
    }

    @Test(arguments: [1, 2, 3, 5]) func unshuffledChannelsAreColumnPhaseFastest(f: Int) {
        let x = Self.indices([2, 3, 2 * f, 3 * f])
        let y = pixelUnshuffle(Variable(x), factor: f).tensor
        let input = Reference(x)
        let expected = Reference.values([2 * f * f, 3, 2, 3]) { channel, image, row, column in
            input[channel / (f * f), image, f * row + channel % (f * f) / f, f * column + channel % f]
        }
        #expect(y.shape == [2 * f * f, 3, 2, 3])
        #expect(y.values.doubles == expected)
        #expect(pixelShuffle(Variable(y), factor: f).tensor.values == x.values)
    }

    @Test(arguments: [1, 2, 3, 5]) func subImagesAreImagesOfTheBatch(s: Int) {
        let x = Self.indices([2, 3, 2 * s, 3 * s])
        let y = pixelDownsample(Variable(x), stride: s).tensor
        let input = Reference(x)
        let expected = Reference.values([2, 3 * s * s, 2, 3]) { channel, image, row, column in
            input[channel, image / (s * s), s * row + image % (s * s) / s, s * column + image % s]
        }
        #expect(y.shape == [2, 3 * s * s, 2, 3])
        #expect(y.values.doubles == expected)
        #expect(pixelUpsample(Variable(y), stride: s).tensor.values == x.values)
    }

    /// Permutations only move values: differences are exact but for the rounding of x ± h.
    @Test(arguments: [2, 3]) func gradientsAreTheSlopes(f: Int) {
        let fine = random([2, 2, f, 2 * f], seed: 1),
            coarse = random([2 * f * f, 2 * f * f, 1, 3], seed: 2, in: -1...1)
        #expect(gradientError([fine], step: Step.linear) { pixelUnshuffle($0[0], factor: f) } < 1e-6)
        #expect(gradientError([fine], step: Step.linear) { pixelDownsample($0[0], stride: f) } < 1e-6)
        #expect(directionalError([coarse], step: Step.linear) { pixelShuffle($0[0], factor: f) } < 1e-5)
        let finer = random([2, 2 * f * f, f, 3 * f], seed: 3)
        #expect(
            directionalError([coarse, finer], step: Step.linear) {
                pixelShuffle($0[0], factor: f, adding: $0[1])
            } < 1e-5)
        #expect(directionalError([coarse], step: Step.linear) { pixelUpsample($0[0], stride: f) } < 1e-5)
    }
}
