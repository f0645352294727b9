import Tensors
import Testing

@Suite struct PairDownsamplingTests {
    /// Sizes of the views.
    static let planes = [(1, 1, 1), (2, 1, 3), (3, 4, 2)].map { Planes(batch: $0.0, height: $0.1, width: $0.2) }

    static func image(_ planes: Planes, seed: UInt64) -> Tensor {
        random([2, planes.batch, 2 * planes.height, 2 * planes.width], seed: seed)
    }

    @Test(arguments: planes, [false, true]) func viewsAreTheMeansOfBothDiagonals(planes: Planes, exchanged: Bool) {
        let x = Self.image(planes, seed: 1)
        let y = pairDownsampled(Variable(x), exchanged: exchanged).tensor
        let input = Reference(x)
        let expected = Reference.values([2, 2 * planes.batch, planes.height, planes.width]) { c, view, row, column in
            func pixel(_ down: Int, _ right: Int) -> Double { input[c, view / 2, 2 * row + down, 2 * column + right] }
            let isFirst = (view % 2 == 0) != exchanged
            return isFirst ? (pixel(0, 1) + pixel(1, 0)) / 2 : (pixel(0, 0) + pixel(1, 1)) / 2
        }
        #expect(y.shape == [2, 2 * planes.batch, planes.height, planes.width])
        // One sum of two values below 1 is rounded.
        #expect(zip(y.values.doubles, expected).allSatisfy { abs($0 - $1) < 1e-7 })
    }

    @Test(arguments: planes) func gradientsAreTheSlopes(planes: Planes) {
        for exchanged in [false, true] {
            let error = gradientError([Self.image(planes, seed: 2)], step: Step.linear) {
                pairDownsampled($0[0], exchanged: exchanged)
            }
            #expect(error < 1e-5)
        }
    }
}

@Suite struct SquaredErrorTests {
    /// More pixels than are summed at once in single precision.
    @Test(arguments: [(1, 1), (3, 7), (40, 33)]) func valueAndGradientAreTheFormulas(height: Int, width: Int) {
        let shape = [2, 1, height, width]
        let (output, target) = (random(shape, seed: 3), random(shape, seed: 4))
        let mask = Tensor([1, 1, height, width], (0..<height * width).map { $0 % 3 == 0 ? 0 : 1 })
        for mask in [nil, mask] {
            let (value, gradient) = squaredError(output, target, mask: mask, scale: 0.25)
            let factors = mask.map { $0.values.doubles + $0.values.doubles }
            let differences = zip(output.values.doubles, target.values.doubles).enumerated().map { index, pair in
                (pair.0 - pair.1) * (factors?[index] ?? 1)
            }
            let expected = 0.25 * differences.reduce(0) { $0 + $1 * $1 }
            // Sums of 1024 squares in single precision.
            #expect(abs(value - expected) <= 1e-5 * expected)
            #expect(zip(gradient.values.doubles, differences).allSatisfy { abs($0 - 0.5 * $1) < 1e-6 })
        }
    }
}
