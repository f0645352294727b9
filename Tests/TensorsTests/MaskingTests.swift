import Tensors
import Testing

@Suite struct MaskingTests {
    @Test(arguments: Planes.all) func maskedPixelsAreZeroInEveryChannel(planes: Planes) {
        let (x, mask) = (planes.activation(3, seed: 1), planes.mask(seed: 2))
        let (input, visible) = (Reference(x), Reference(mask))
        let expected = Reference.values(x.shape) { input[$0, $1, $2, $3] * visible[0, $1, $2, $3] }
        #expect(masked(Variable(x), by: mask).tensor.values.doubles == expected)
    }

    @Test(arguments: Planes.all) func selectionTakesTheFirstWhereTheMaskIsOne(planes: Planes) {
        let (a, b, mask) = (planes.activation(3, seed: 3), planes.activation(3, seed: 4), planes.mask(seed: 5))
        let (first, second, chosen) = (Reference(a), Reference(b), Reference(mask))
        let expected = Reference.values(a.shape) {
            chosen[0, $1, $2, $3] == 1 ? first[$0, $1, $2, $3] : second[$0, $1, $2, $3]
        }
        #expect(select(mask, Variable(a), Variable(b)).tensor.values.doubles == expected)
        #expect(select(complement(mask), Variable(b), Variable(a)).tensor.values.doubles == expected)
    }

    /// Values are kept or dropped: differences are exact but for the rounding of x ± h.
    @Test(arguments: Planes.all) func gradientsAreTheSlopes(planes: Planes) {
        let (a, b, mask) = (planes.activation(2, seed: 6), planes.activation(2, seed: 7), planes.mask(seed: 8))
        #expect(gradientError([a], step: Step.linear) { masked($0[0], by: mask) } < 1e-6)
        #expect(gradientError([a, b], step: Step.linear) { select(mask, $0[0], $0[1]) } < 1e-6)
    }
}

@Suite struct FillingTests {
    /// Means of at most 16 values below 1.
    @Test(arguments: Planes.all + [Planes(batch: 2, height: 11, width: 13)], [0.5, 0.9] as [Float])
    func hiddenPixelsGetTheMeanOfVisibleNeighbours(planes: Planes, share: Float) {
        let x = planes.activation(2, seed: 9, in: 0.1...1)
        let visible = Tensor(
            [1, planes.batch, planes.height, planes.width],
            uniform(planes.batch * planes.height * planes.width, seed: 10, in: 0...1).map { $0 < share ? 0 : 1 })
        let seen = masked(Variable(x), by: visible).tensor
        let (input, mask) = (Reference(seen), Reference(visible))
        let near = (input: Self.neighbourSums(input), mask: Self.neighbourSums(mask))
        let far = (input: Self.neighbourSums(near.input), mask: Self.neighbourSums(near.mask))
        let expected = Reference.values(x.shape) { c, image, row, column in
            if mask[0, image, row, column] == 1 { return input[c, image, row, column] }
            if near.mask[0, image, row, column] > 0 {
                return near.input[c, image, row, column] / near.mask[0, image, row, column]
            }
            if far.mask[0, image, row, column] > 0 {
                return far.input[c, image, row, column] / far.mask[0, image, row, column]
            }
            return 0
        }
        #expect(deviation(filled(seen, visible: visible).values, expected) < 2e-6)
    }

    @Test func visiblePixelsKeepEveryBit() {
        let planes = Planes(batch: 2, height: 5, width: 9)
        let visible = planes.mask(seed: 11)
        let seen = masked(Variable(planes.activation(3, seed: 12)), by: visible).tensor
        #expect(masked(Variable(filled(seen, visible: visible)), by: visible).tensor.values == seen.values)
    }

    @Test func nothingVisibleStaysZero() {
        let x = Tensor([3, 1, 4, 4])
        #expect(filled(x, visible: Tensor([1, 1, 4, 4])).values.allSatisfy { $0 == 0 })
    }

    /// The eight neighbours of each pixel of the image, diagonal ones half.
    private static func neighbourSums(_ x: Reference) -> Reference {
        Reference(x.shape) { c, image, row, column in
            var sum = 0.0
            for dy in -1...1 {
                for dx in -1...1 where dy != 0 || dx != 0 {
                    sum += x[c, image, row + dy, column + dx] * (dy == 0 || dx == 0 ? 1 : 0.5)
                }
            }
            return sum
        }
    }
}
