import Tensors
import Testing

@Suite struct HaarTests {
    /// Sizes of the bands.
    static let planes = [(1, 1, 1), (2, 1, 3), (3, 4, 2)].map { Planes(batch: $0.0, height: $0.1, width: $0.2) }

    @Test(arguments: planes) func bandsAreTheFormulasAndGoBack(planes: Planes) {
        let x = random([2, planes.batch, 2 * planes.height, 2 * planes.width], seed: 1)
        let y = haarTransformed(Variable(x)).tensor
        let input = Reference(x)
        let signs: [[Double]] = [[1, 1, 1, 1], [1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]]
        let expected = Reference.values([8, planes.batch, planes.height, planes.width]) { c, image, row, column in
            (0..<4).reduce(0) { sum, k in
                sum + signs[c % 4][k] * input[c / 4, image, 2 * row + k / 2, 2 * column + k % 2] / 2
            }
        }
        #expect(y.shape == [8, planes.batch, planes.height, planes.width])
        // Sums of four values below 1.
        #expect(zip(y.values.doubles, expected).allSatisfy { abs($0 - $1) < 3e-7 })
        let back = haarRestored(Variable(y)).tensor
        #expect(back.shape == x.shape)
        #expect(zip(back.values, x.values).allSatisfy { abs($0 - $1) < 1e-6 })
    }

    @Test(arguments: planes) func gradientsAreTheSlopes(planes: Planes) {
        let image = random([2, planes.batch, 2 * planes.height, 2 * planes.width], seed: 2)
        #expect(gradientError([image], step: Step.linear) { haarTransformed($0[0]) } < 1e-5)
        let bands = random([8, planes.batch, planes.height, planes.width], seed: 3)
        #expect(gradientError([bands], step: Step.linear) { haarRestored($0[0]) } < 1e-5)
    }
}
