import Tensors
import Testing

@Suite struct ConvolutionTests {
    /// Sums of at most 5 products below 1, each rounded to 6e-8.
    @Test(arguments: Planes.all + [.manyBands]) func pointwiseMultipliesEveryPixelByTheMatrix(planes: Planes) {
        let (x, w, b) = (planes.activation(5, seed: 1), random([3, 5, 1, 1], seed: 2), random([3], seed: 3))
        let y = pointwise(Variable(x), weight: Variable(w), bias: Variable(b)).tensor
        let (input, weight, bias) = (Reference(x), w.values.doubles, b.values.doubles)
        let expected = Reference.values(y.shape) { o, image, row, column in
            (0..<5).reduce(bias[o]) { $0 + weight[o * 5 + $1] * input[$1, image, row, column] }
        }
        #expect(y.shape == [3] + x.shape[1...])
        #expect(deviation(y.values, expected) < 1e-6)
    }

    /// Sums of at most 27 products below 1, rounded to 6e-8 each, by Winograd less than twice as coarsely.
    @Test(arguments: Planes.all + [.manyBands]) func dense3x3SumsTheNeighbourhoodInsideOfEachImage(planes: Planes) {
        let (x, w, b) = (planes.activation(3, seed: 4), random([2, 3, 3, 3], seed: 5), random([2], seed: 6))
        let y = convolution3x3(Variable(x), weight: Variable(w), bias: Variable(b)).tensor
        let (input, weight, bias) = (Reference(x), w.values.doubles, b.values.doubles)
        let expected = Reference.values(y.shape) { o, image, row, column in
            (0..<27).reduce(bias[o]) { sum, tap in
                let (i, dy, dx) = (tap / 9, tap / 3 % 3 - 1, tap % 3 - 1)
                return sum + weight[o * 27 + tap] * input[i, image, row + dy, column + dx]
            }
        }
        #expect(y.shape == [2] + x.shape[1...])
        #expect(deviation(y.values, expected) < 6e-6)
    }

    /// Sums of 10 values below 1.
    @Test(arguments: Planes.all + [.manyBands]) func depthwise3x3KeepsChannelsApart(planes: Planes) {
        let (x, w, b) = (planes.activation(3, seed: 7), random([3, 1, 3, 3], seed: 8), random([3], seed: 9))
        let y = depthwise3x3(Variable(x), weight: Variable(w), bias: Variable(b)).tensor
        let (input, weight, bias) = (Reference(x), w.values.doubles, b.values.doubles)
        let expected = Reference.values(y.shape) { c, image, row, column in
            (0..<9).reduce(bias[c]) { $0 + weight[c * 9 + $1] * input[c, image, row + $1 / 3 - 1, column + $1 % 3 - 1] }
        }
        #expect(deviation(y.values, expected) < 1e-6)
    }

    /// The activation behind a convolution is the same function as a rectification of its own, forward and backward.
    @Test(arguments: [Float(0), 0.2]) func aConvolutionMayRectify(slope: Float) {
        let inputs = [Planes.manyBands.activation(3, seed: 20), random([2, 3, 3, 3], seed: 21), random([2], seed: 22)]
        let (one, two) = (Tape(), Tape())
        let (a, b) = (inputs.map(one.variable), inputs.map(two.variable))
        let joined = convolution3x3(a[0], weight: a[1], bias: a[2], slope: slope)
        let apart = leakyRectified(convolution3x3(b[0], weight: b[1], bias: b[2]), slope: slope)
        #expect(joined.tensor.values == apart.tensor.values)
        let seed = random(joined.tensor.shape, seed: 23)
        let (first, second) = (one.backward(from: joined, seed: seed), two.backward(from: apart, seed: seed))
        for (x, y) in zip(a, b) { #expect(first[x]?.values == second[y]?.values) }
    }

    @Test func aBiasIsOptional() {
        let x = Planes.all[3].activation(2, seed: 10)
        let zero = Variable(Tensor([2]))
        let convolutions: [([Int], (Variable, Variable?) -> Variable)] = [
            ([2, 2, 1, 1], { pointwise(Variable(x), weight: $0, bias: $1) }),
            ([2, 2, 3, 3], { convolution3x3(Variable(x), weight: $0, bias: $1) }),
            ([2, 1, 3, 3], { depthwise3x3(Variable(x), weight: $0, bias: $1) }),
        ]
        for (shape, convolution) in convolutions {
            let weight = Variable(random(shape, seed: 11))
            let (without, with) = (convolution(weight, nil).tensor, convolution(weight, zero).tensor)
            // Sums of at most 18 products, perhaps in another order.
            #expect(deviation(without.values, with.values.doubles) < 1e-6)
        }
    }

    /// All three are linear in each input: slopes err by rounding alone, 1e-6 of sums near 1.
    @Test(arguments: Planes.all) func gradientsAreTheSlopes(planes: Planes) {
        let x = planes.activation(3, seed: 14)
        let bias = random([2], seed: 15)
        #expect(
            gradientError([x, random([2, 3, 1, 1], seed: 16), bias], step: Step.linear) {
                pointwise($0[0], weight: $0[1], bias: $0[2])
            } < 2e-5)
        #expect(
            gradientError([x, random([2, 3, 3, 3], seed: 17), bias], step: Step.linear) {
                convolution3x3($0[0], weight: $0[1], bias: $0[2])
            } < 2e-5)
        #expect(
            gradientError([x, random([3, 1, 3, 3], seed: 18), random([3], seed: 19)], step: Step.linear) {
                depthwise3x3($0[0], weight: $0[1], bias: $0[2])
            } < 2e-5)
    }

    /// Weights' gradients sum 4514 products in single precision.
    @Test func gradientsAreTheSlopesAcrossBands() {
        let x = Planes.manyBands.activation(3, seed: 20)
        #expect(
            directionalError([x, random([2, 3, 1, 1], seed: 21), random([2], seed: 22)], step: Step.linear) {
                pointwise($0[0], weight: $0[1], bias: $0[2])
            } < 1e-4)
        #expect(
            directionalError([x, random([2, 3, 3, 3], seed: 23), random([2], seed: 24)], step: Step.linear) {
                convolution3x3($0[0], weight: $0[1], bias: $0[2])
            } < 1e-4)
        #expect(
            directionalError([x, random([3, 1, 3, 3], seed: 25), random([3], seed: 26)], step: Step.linear) {
                depthwise3x3($0[0], weight: $0[1], bias: $0[2])
            } < 1e-4)
    }
}
