import Tensors
import Testing

/// A convolution's shape as a test argument.
struct Taps: Sendable, CustomTestStringConvertible {
    let kernel: Int, stride: Int, dilation: Int
    var testDescription: String { "\(kernel)×\(kernel), stride \(stride), dilation \(dilation)" }

    /// The sum over a neighbourhood that a definition asks for, in doubles.
    func reference(_ x: Tensor, _ w: Tensor, _ b: Tensor) -> Reference {
        let (input, weight, bias) = (Reference(x), w.values.doubles, b.values.doubles)
        let (inputs, taps) = (x.channels, kernel * kernel)
        let shape = [b.count, x.batch, (x.height - 1) / stride + 1, (x.width - 1) / stride + 1]
        return Reference(shape) { o, image, row, column in
            (0..<inputs * taps).reduce(bias[o]) { sum, index in
                let (i, tap) = (index / taps, index % taps)
                let dy = (tap / kernel - kernel / 2) * dilation, dx = (tap % kernel - kernel / 2) * dilation
                return sum + weight[o * inputs * taps + index]
                    * input[i, image, row * stride + dy, column * stride + dx]
            }
        }
    }

    func convolved(_ x: Variable, _ weight: Variable, _ bias: Variable?) -> Variable {
        dilated(x, by: dilation) { convolution($0, weight: weight, bias: bias, stride: stride) }
    }
}

@Suite struct ConvolutionVariantsTests {
    static let variants =
        [
            (1, 1, 1), (3, 1, 1), (5, 1, 1), (7, 1, 1), (1, 2, 1), (3, 2, 1), (5, 2, 1), (3, 3, 1), (3, 1, 2),
            (3, 1, 3), (5, 1, 2),
        ]
        .map { Taps(kernel: $0.0, stride: $0.1, dilation: $0.2) }

    /// Sums of at most 98 products below 1.
    @Test(arguments: variants, Planes.all + [.manyBands])
    func everyOutputSumsItsNeighbourhoodInsideOfTheImage(taps: Taps, planes: Planes) {
        let (x, b) = (planes.activation(2, seed: 1), random([3], seed: 2))
        let w = random([3, 2, taps.kernel, taps.kernel], seed: 3)
        let y = taps.convolved(Variable(x), Variable(w), Variable(b)).tensor
        let expected = taps.reference(x, w, b)
        #expect(y.shape == expected.shape)
        #expect(deviation(y.values, expected.values) < 1e-5)
    }

    @Test func aBiasIsOptional() {
        let (x, w) = (Variable(Planes.all[3].activation(2, seed: 4)), Variable(random([2, 2, 5, 5], seed: 5)))
        let (without, with) = (convolution(x, weight: w), convolution(x, weight: w, bias: Variable(Tensor([2]))))
        #expect(deviation(without.tensor.values, with.tensor.values.doubles) < 1e-6)
    }

    /// Linear in each input: slopes err by rounding alone.
    @Test(arguments: variants, Planes.all) func gradientsAreTheSlopes(taps: Taps, planes: Planes) {
        let w = random([2, 2, taps.kernel, taps.kernel], seed: 6)
        let inputs = [planes.activation(2, seed: 7), w, random([2], seed: 8)]
        #expect(gradientError(inputs, step: Step.linear) { taps.convolved($0[0], $0[1], $0[2]) } < 3e-5)
    }

    /// Weights' gradients sum up to 4514 products in single precision.
    @Test(arguments: variants) func gradientsAreTheSlopesAcrossBands(taps: Taps) {
        let w = random([2, 3, taps.kernel, taps.kernel], seed: 9)
        let inputs = [Planes.manyBands.activation(3, seed: 10), w, random([2], seed: 11)]
        #expect(directionalError(inputs, step: Step.linear) { taps.convolved($0[0], $0[1], $0[2]) } < 2e-4)
    }

    /// A band holds 2²⁰ values: 96 channels of 5×5 neighbourhoods need several, and one starts amid an image.
    @Test func manyChannelsAreCutIntoBandsOfRows() {
        let taps = Taps(kernel: 5, stride: 1, dilation: 1)
        let planes = Planes(batch: 2, height: 9, width: 61)
        let (x, b) = (planes.activation(96, seed: 12), random([2], seed: 13))
        let w = random([2, 96, 5, 5], seed: 14)
        let y = convolution(Variable(x), weight: Variable(w), bias: Variable(b)).tensor
        // Partial sums near 20 are rounded to 1e-6, 2400 times.
        #expect(deviation(y.values, taps.reference(x, w, b).values) < 1e-4)
        #expect(
            directionalError([x, w, b], step: Step.linear) { convolution($0[0], weight: $0[1], bias: $0[2]) } < 2e-4)
    }

    @Test(arguments: [3, 5]) func aMaskedCentreIsNotSeenAndNotLearned(kernel: Int) throws {
        let w = random([2, 3, kernel, kernel], seed: 15)
        let (taps, tape) = (kernel * kernel, Tape())
        let weight = tape.variable(w)
        let masked = centreMasked(weight)
        for (index, value) in masked.tensor.values.enumerated() {
            #expect(value == (index % taps == taps / 2 ? 0 : w.values[index]))
        }
        let gradient = try #require(tape.backward(from: masked, seed: Tensor(w.shape, repeating: 1))[weight]).values
        #expect(gradient.enumerated().allSatisfy { $1 == ($0 % taps == taps / 2 ? 0 : 1) })
    }

    /// Sums of at most 3 products below 1.
    @Test(arguments: Planes.all) func theTransposedConvolutionWritesABlockForEachPixel(planes: Planes) {
        let (x, w, b) = (planes.activation(3, seed: 16), random([3, 2, 2, 2], seed: 17), random([2], seed: 18))
        let y = transposedConvolution2x2(Variable(x), weight: Variable(w), bias: Variable(b)).tensor
        let (input, weight, bias) = (Reference(x), w.values.doubles, b.values.doubles)
        let expected = Reference.values([2, planes.batch, 2 * planes.height, 2 * planes.width]) {
            o, image, row, column in
            (0..<3).reduce(bias[o]) {
                let tap = (($1 * 2 + o) * 2 + row % 2) * 2 + column % 2
                return $0 + weight[tap] * input[$1, image, row / 2, column / 2]
            }
        }
        #expect(deviation(y.values, expected) < 1e-6)
    }

    @Test(arguments: Planes.all) func transposedGradientsAreTheSlopes(planes: Planes) {
        let inputs = [planes.activation(3, seed: 19), random([3, 2, 2, 2], seed: 20), random([2], seed: 21)]
        #expect(
            gradientError(inputs, step: Step.linear) {
                transposedConvolution2x2($0[0], weight: $0[1], bias: $0[2])
            } < 2e-5)
    }
}
