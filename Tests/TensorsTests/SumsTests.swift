import Tensors
import Testing

@Suite struct SumsTests {
    @Test(arguments: Planes.all) func aScaledResidualHasOneScaleForEachChannel(planes: Planes) {
        let (x, t, s) = (planes.activation(3, seed: 1), planes.activation(3, seed: 2), random([1, 3, 1, 1], seed: 3))
        let y = scaledResidual(Variable(x), Variable(t), scale: Variable(s)).tensor
        let (residual, scale) = (Reference(t), s.values.doubles)
        let sum = Reference.values(x.shape) { scale[$0] * residual[$0, $1, $2, $3] }
        // One product and one sum below 2.
        #expect(deviation(y.values, zip(x.values.doubles, sum).map(+)) < 3e-7)
    }

    @Test(arguments: Planes.all) func concatenationPutsTheFirstChannelsFirst(planes: Planes) {
        let (a, b) = (planes.activation(3, seed: 4), planes.activation(2, seed: 5))
        let y = concatenate(Variable(a), Variable(b)).tensor
        #expect(y.shape == [5] + a.shape[1...])
        #expect(y.values == a.values + b.values)
    }

    /// Linear in each input: slopes err by rounding alone.
    @Test(arguments: Planes.all) func gradientsAreTheSlopes(planes: Planes) {
        let (a, b) = (planes.activation(3, seed: 6), planes.activation(3, seed: 7))
        #expect(gradientError([a, b], step: Step.linear) { add($0[0], $0[1]) } < 1e-5)
        #expect(gradientError([a, b], step: Step.linear) { subtract($0[0], $0[1]) } < 1e-5)
        #expect(
            gradientError([a, planes.activation(2, seed: 8)], step: Step.linear) { concatenate($0[0], $0[1]) } < 1e-5)
        #expect(
            gradientError([a, b, random([3], seed: 9)], step: Step.linear) {
                scaledResidual($0[0], $0[1], scale: $0[2])
            } < 1e-5)
    }

    @Test func aDifferenceIsElementByElement() {
        let (a, b) = (Variable(Tensor([1, 1, 1, 3], [1, -2, 0])), Variable(Tensor([1, 1, 1, 3], [4, -2, 0.5])))
        #expect(subtract(a, b).tensor.values == [-3, 0, -0.5])
    }

    @Test func aBlendMovesByItsShare() {
        let (a, b) = (Tensor([2], [1, -4]), Tensor([2], [3, 4]))
        #expect(blend(a, b, share: 0.75).values == [2.5, 2])
        #expect(a.values == [1, -4])
    }

    @Test func theMeanOfTensorsIsElementByElement() {
        let tensors = (0..<3).map { random([2, 5], seed: 10 + UInt64($0)) }
        let expected = (0..<10).map { i in tensors.reduce(0) { $0 + Double($1.values[i]) } / 3 }
        let first = tensors[0].values
        // Two sums and a product by 1/3, each rounded once.
        #expect(deviation(mean(tensors).values, expected) < 3e-7)
        #expect(tensors[0].values == first)
    }
}
