import Tensors
import Testing

@Suite struct BordersTests {
    @Test(arguments: Planes.all, [0, 1, 4]) func paddingAddsZerosBelowAndToTheRight(planes: Planes, more: Int) {
        let x = planes.activation(2, seed: 1)
        let y = padded(Variable(x), height: planes.height + more, width: planes.width + 2 * more).tensor
        let input = Reference(x)
        let expected = Reference.values([2, planes.batch, planes.height + more, planes.width + 2 * more]) {
            input[$0, $1, $2, $3]
        }
        #expect(y.values.doubles == expected)
        #expect(cropped(Variable(y), height: planes.height, width: planes.width).tensor.values == x.values)
    }

    @Test(arguments: [(5, 7), (1, 1), (3, 7), (5, 2)]) func croppingKeepsTheTopLeft(height: Int, width: Int) {
        let x = Planes(batch: 2, height: 5, width: 7).activation(3, seed: 2)
        let y = cropped(Variable(x), height: height, width: width).tensor
        let input = Reference(x)
        #expect(y.values.doubles == Reference.values([3, 2, height, width]) { input[$0, $1, $2, $3] })
    }

    /// Values only move: differences are exact but for the rounding of x ± h.
    @Test(arguments: Planes.all) func gradientsAreTheSlopes(planes: Planes) {
        let x = planes.activation(2, seed: 3)
        #expect(
            gradientError([x], step: Step.linear) {
                padded($0[0], height: planes.height + 3, width: planes.width + 1)
            } < 1e-6)
        #expect(
            gradientError([x], step: Step.linear) {
                cropped($0[0], height: (planes.height + 1) / 2, width: (planes.width + 1) / 2)
            } < 1e-6)
    }
}
