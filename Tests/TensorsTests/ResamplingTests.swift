import Tensors
import Testing

@Suite struct ResamplingTests {
    /// Sizes after pooling.
    static let planes = [(1, 1, 1), (2, 1, 3), (3, 5, 2)].map { Planes(batch: $0.0, height: $0.1, width: $0.2) }

    /// Distinct values at least 1/4 apart, in an order that depends on the seed.
    static func distinct(_ planes: Planes, seed: UInt64) -> Tensor {
        let shape = [2, planes.batch, 2 * planes.height, 2 * planes.width]
        let keys = uniform(shape.reduce(1, *), seed: seed)
        let order = keys.indices.sorted { keys[$0] < keys[$1] }
        var values = [Float](repeating: 0, count: keys.count)
        for (rank, index) in order.enumerated() { values[index] = Float(rank - keys.count / 2) / 4 }
        return Tensor(shape, values)
    }

    @Test(arguments: planes) func poolingKeepsTheLargestOfFour(planes: Planes) {
        let x = Self.distinct(planes, seed: 1)
        let y = maximumPooled(Variable(x)).tensor
        let input = Reference(x)
        let expected = Reference.values([2, planes.batch, planes.height, planes.width]) { c, image, row, column in
            (0..<4).map { input[c, image, 2 * row + $0 / 2, 2 * column + $0 % 2] }.max() ?? 0
        }
        #expect(y.shape == [2, planes.batch, planes.height, planes.width])
        #expect(y.values.doubles == expected)
    }

    @Test(
        arguments: [
            ([1, 1, 1, 1], [1, 0, 0, 0]), ([0, 1, 1, 1], [0, 1, 0, 0]), ([0, 0, 1, 1], [0, 0, 1, 0]),
            ([0, 0, 0, 1], [0, 0, 0, 1]), ([0, -0.0, 0, 0], [1, 0, 0, 0]),
        ] as [([Float], [Float])]) func ofEqualValuesTheFirstTakesTheGradient(block: [Float], gradient: [Float]) throws
    {
        let tape = Tape()
        let x = tape.variable(Tensor([1, 1, 2, 2], block))
        let gradients = tape.backward(from: maximumPooled(x), seed: Tensor([1, 1, 1, 1], [1]))
        #expect(try #require(gradients[x]).values == gradient)
    }

    @Test(arguments: planes) func everyPixelIsRepeatedToABlock(planes: Planes) {
        let x = planes.activation(2, seed: 2)
        let y = nearestUpsampled(Variable(x)).tensor
        let input = Reference(x)
        let expected = Reference.values([2, planes.batch, 2 * planes.height, 2 * planes.width]) {
            input[$0, $1, $2 / 2, $3 / 2]
        }
        #expect(y.values.doubles == expected)
    }

    /// Steps of 1/32 never change which value is the largest; upsampling is linear.
    @Test(arguments: planes) func gradientsAreTheSlopes(planes: Planes) {
        #expect(gradientError([Self.distinct(planes, seed: 3)], step: Step.smooth) { maximumPooled($0[0]) } < 2e-4)
        #expect(gradientError([planes.activation(2, seed: 4)], step: Step.linear) { nearestUpsampled($0[0]) } < 1e-5)
    }
}
