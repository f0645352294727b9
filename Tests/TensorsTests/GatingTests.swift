import Foundation
import Tensors
import Testing

@Suite struct GatingTests {
    @Test(arguments: Planes.all) func theSimpleGateMultipliesTheHalvesOfTheChannels(planes: Planes) {
        let x = planes.activation(6, seed: 1)
        let y = simpleGate(Variable(x)).tensor
        let input = Reference(x)
        let expected = Reference.values([3] + x.shape[1...]) { input[$0, $1, $2, $3] * input[$0 + 3, $1, $2, $3] }
        #expect(y.shape == [3] + x.shape[1...])
        #expect(deviation(y.values, expected) < 1e-6)
    }

    /// Values below 1, rounded a few times.
    @Test(arguments: Planes.all) func theMixLeansToTheSecondWhereTheMapIsLarge(planes: Planes) {
        let (a, b) = (planes.activation(2, seed: 2), planes.activation(2, seed: 3))
        let z = planes.activation(2, seed: 4, in: -6...6)
        let y = sigmoidMix(Variable(a), Variable(b), logits: Variable(z)).tensor
        let expected = a.values.indices.map { index in
            let share = 1 / (1 + exp(-Double(z.values[index])))
            return (1 - share) * Double(a.values[index]) + share * Double(b.values[index])
        }
        #expect(deviation(y.values, expected) < 1e-6)
    }

    @Test func aMapFarFromZeroChoosesOneSideExactly() {
        let (a, b) = (Variable(Tensor([1, 1, 1, 2], [3, 3])), Variable(Tensor([1, 1, 1, 2], [5, 5])))
        let z = Variable(Tensor([1, 1, 1, 2], [-1000, 1000]))
        #expect(sigmoidMix(a, b, logits: z).tensor.values == [3, 5])
    }

    /// Means and sums of 3 products below 1.
    @Test(arguments: Planes.all) func channelAttentionScalesByMixedMeans(planes: Planes) {
        let (t, w, b) = (planes.activation(3, seed: 5), random([3, 3, 1, 1], seed: 6), random([3], seed: 7))
        let y = channelAttention(Variable(t), weight: Variable(w), bias: Variable(b)).tensor
        let (input, weight, bias) = (Reference(t), w.values.doubles, b.values.doubles)
        func mean(_ c: Int, _ image: Int) -> Double {
            let area = planes.height * planes.width
            return (0..<area).reduce(0) { $0 + input[c, image, $1 / planes.width, $1 % planes.width] } / Double(area)
        }
        let expected = Reference.values(y.shape) { c, image, row, column in
            (0..<3).reduce(bias[c]) { $0 + weight[c * 3 + $1] * mean($1, image) } * input[c, image, row, column]
        }
        #expect(deviation(y.values, expected) < 2e-6)
    }

    /// Fifth derivatives stay below 1; the rounding of y counts, 1e-6 over h = 1/64.
    @Test(arguments: Planes.all) func gradientsAreTheSlopes(planes: Planes) {
        #expect(gradientError([planes.activation(4, seed: 8)], step: Step.smooth) { simpleGate($0[0]) } < 2e-4)
        let operands = (0..<3).map { planes.activation(2, seed: 9 + $0) }
        #expect(
            gradientError(operands, step: Step.smooth) { sigmoidMix($0[0], $0[1], logits: $0[2]) } < 2e-4)
        let attended = [planes.activation(3, seed: 12), random([3, 3, 1, 1], seed: 13), random([3], seed: 14)]
        #expect(
            gradientError(attended, step: Step.smooth) { channelAttention($0[0], weight: $0[1], bias: $0[2]) } < 3e-4)
    }
}
