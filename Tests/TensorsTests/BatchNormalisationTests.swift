import Foundation
import Tensors
import Testing

@Suite struct BatchNormalisationTests {
    static let epsilon = 1e-4
    /// A single value has no variance: its normalised value is 0 whatever it is.
    static let planes = Planes.all.filter { $0.batch * $0.height * $0.width > 1 } + [.manyBands]

    /// Mean and population variance of each channel.
    static func moments(_ x: Tensor) -> [(mean: Double, variance: Double)] {
        (0..<x.channels).map { c in
            let values = x.values[c * x.pixels..<(c + 1) * x.pixels].map(Double.init)
            let mean = values.reduce(0, +) / Double(values.count)
            return (mean, values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count))
        }
    }

    /// Two values that nearly agree are divided by √ε = 0.01: the rounding of inputs near 3 grows a hundredfold.
    @Test(arguments: planes) func channelsGetTheirMeanAndScaleFromTheWholeBatch(planes: Planes) {
        let x = planes.activation(3, seed: 1, in: 1...3)
        let (w, b) = (random([3], seed: 2), random([3], seed: 3))
        let (y, moments) = batchNorm(
            Variable(x), weight: Variable(w), bias: Variable(b), epsilon: Float(Self.epsilon))
        let (input, weight, bias, expected) = (Reference(x), w.values.doubles, b.values.doubles, Self.moments(x))
        let values = Reference.values(x.shape) { c, image, row, column in
            let centred = input[c, image, row, column] - expected[c].mean
            return weight[c] * centred / (expected[c].variance + Self.epsilon).squareRoot() + bias[c]
        }
        #expect(deviation(y.tensor.values, values) < 3e-5)
        let correction = Double(x.pixels) / Double(x.pixels - 1)
        #expect(deviation(moments.mean.values, expected.map(\.mean)) < 1e-6)
        #expect(deviation(moments.unbiasedVariance.values, expected.map { $0.variance * correction }) < 1e-6)
    }

    @Test func aConstantChannelBecomesItsBias() {
        let x = Variable(Tensor([1, 2, 3, 3], repeating: 0.7))
        let (w, b) = (Variable(Tensor([1], [5])), Variable(Tensor([1], [0.25])))
        let y = batchNorm(x, weight: w, bias: b, epsilon: 1e-4).output.tensor
        // The mean of equal values may be off by one rounding, 6e-8, which √ε enlarges a hundredfold and the weight 5×.
        #expect(deviation(y.values, Array(repeating: 0.25, count: 18)) < 4e-5)
    }

    /// Derivatives grow with 1/variance: inputs spread over 2 keep them near 1. Few values make them larger.
    @Test(
        arguments: Planes.all.filter { $0.batch * $0.height * $0.width > 4 } + [Planes(batch: 2, height: 4, width: 5)])
    func gradientsAreTheSlopes(planes: Planes) {
        let inputs = [planes.activation(3, seed: 4, in: -2...2), random([3], seed: 5), random([3], seed: 6)]
        #expect(
            gradientError(inputs, step: Step.smooth) {
                batchNorm($0[0], weight: $0[1], bias: $0[2], epsilon: Float(Self.epsilon)).output
            } < 5e-4)
    }

    /// One rounding for each of a handful of products.
    @Test func aFoldedConvolutionEqualsConvolutionAndNormalisation() {
        let x = Planes.manyBands.activation(3, seed: 7)
        let (weight, bias) = (random([4, 3, 3, 3], seed: 8), random([4], seed: 9))
        let (mean, variance) = (random([4], seed: 10), random([4], seed: 11, in: 0.1...2))
        let (scale, offset) = (random([4], seed: 12), random([4], seed: 13))
        let folded = foldingBatchNorm(
            intoWeight: weight, bias: bias, mean: mean, variance: variance, scale: scale, offset: offset,
            epsilon: Float(Self.epsilon))
        let y = convolution3x3(Variable(x), weight: Variable(folded.weight), bias: Variable(folded.bias)).tensor
        let plain = Reference(convolution3x3(Variable(x), weight: Variable(weight), bias: Variable(bias)).tensor)
        let expected = Reference.values(y.shape) { c, image, row, column in
            let centred = plain[c, image, row, column] - Double(mean.values[c])
            let root = (Double(variance.values[c]) + Self.epsilon).squareRoot()
            return centred / root * Double(scale.values[c]) + Double(offset.values[c])
        }
        #expect(deviation(y.values, expected) < 1e-5)
    }
}
