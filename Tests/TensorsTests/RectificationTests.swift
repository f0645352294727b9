import Tensors
import Testing

@Suite struct RectificationTests {
    @Test func negativeValuesAreScaledByTheSlope() {
        let x = Variable(Tensor([1, 1, 1, 4], [-2, -0.5, 0, 3]))
        #expect(leakyRectified(x, slope: 0.25).tensor.values == [-0.5, -0.125, 0, 3])
        #expect(rectified(x).tensor.values == [0, 0, 0, 3])
    }

    @Test(arguments: [0, 0.2] as [Float]) func atZeroTheGradientIsTheSlope(slope: Float) throws {
        let tape = Tape()
        let x = tape.variable(Tensor([1, 1, 1, 3], [0, -0.0, 1]))
        let gradients = tape.backward(
            from: leakyRectified(x, slope: slope), seed: Tensor([1, 1, 1, 3], repeating: 1))
        #expect(try #require(gradients[x]).values == [slope, slope, 1])
    }

    /// Inputs stay a tenth away from the kink, so that both sides are linear within the steps of 1/32.
    @Test(arguments: Planes.all) func gradientsAreTheSlopes(planes: Planes) {
        let values = planes.activation(3, seed: 1).values.map { $0 < 0 ? $0 - 0.1 : $0 + 0.1 }
        let x = Tensor([3, planes.batch, planes.height, planes.width], values)
        #expect(gradientError([x], step: Step.smooth) { leakyRectified($0[0], slope: 0.2) } < 1e-4)
        #expect(gradientError([x], step: Step.smooth) { rectified($0[0]) } < 1e-4)
    }
}
