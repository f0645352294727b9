import Tensors
import Testing

@Suite struct LossTermsTests {
    @Test(arguments: Planes.all) func onlyEntriesOfTheMaskCount(planes: Planes) {
        let (output, mask) = (planes.activation(3, seed: 1), planes.mask(seed: 2))
        var target = planes.activation(3, seed: 3)
        // An entry without error has no slope.
        target.withMutablePointer { $0[0] = output.values[0] }
        var sum = 0.0
        let gradient = Tensor(output.shape) { sum = absoluteError(output, target, mask, scale: 0.25, gradient: $0) }
        let (o, t, m) = (Reference(output), Reference(target), Reference(mask))
        let errors = Reference.values(output.shape) { m[0, $1, $2, $3] * abs(o[$0, $1, $2, $3] - t[$0, $1, $2, $3]) }
        // Differences are rounded once; their sum is in double.
        #expect(abs(sum - errors.reduce(0, +)) < 1e-7 * Double(output.count))
        let expected = Reference.values(output.shape) {
            let difference = o[$0, $1, $2, $3] - t[$0, $1, $2, $3]
            return m[0, $1, $2, $3] * (difference > 0 ? 0.25 : difference < 0 ? -0.25 : 0)
        }
        #expect(gradient.values.doubles == expected)
    }

    /// Rows are summed in single precision, at most 7 roots near 1.
    @Test(arguments: Planes.all) func totalVariationSumsForwardDifferencesInsideOfImages(planes: Planes) {
        let image = planes.activation(2, seed: 4)
        var gradient = Tensor(image.shape)
        let value = addTotalVariation(of: image, scale: 0.5, epsilon: 0.1, gradient: &gradient)
        #expect(abs(value - Self.naive(image, 0.1)) < 1e-6 * Double(image.count))
    }

    /// Its gradient is added to what is there: quotients of at most 1, each rounded to 1e-7. Slopes are in double.
    @Test(arguments: Planes.all) func gradientsOfTotalVariationAreTheSlopes(planes: Planes) {
        let image = planes.activation(2, seed: 5)
        let before = planes.activation(2, seed: 6)
        var gradient = before
        _ = addTotalVariation(of: image, scale: 0.5, epsilon: 0.5, gradient: &gradient)
        let slopes = (0..<image.count).map { element in
            slope(at: 0) { distance in
                Self.naive(Reference(image), 0.5) { $0 == element ? distance : 0 }
            }
        }
        #expect(deviation(gradient.values, zip(before.values.doubles, slopes).map(+)) < 1e-5)
    }

    /// Without ε the root of 0 would have no slope.
    @Test func aFlatImageHasNoSlope() {
        let image = Tensor([3, 2, 4, 5], repeating: 0.7)
        var gradient = Tensor(image.shape)
        let value = addTotalVariation(of: image, scale: 1, epsilon: 1e-3, gradient: &gradient)
        #expect(gradient.values.allSatisfy { $0 == 0 })
        // 120 entries of ε, summed in rows of 5.
        #expect(abs(value - 0.12) < 1e-7)
    }

    static func naive(_ image: Tensor, _ epsilon: Double) -> Double { naive(Reference(image), epsilon) { _ in 0 } }

    /// Half the sum, with `shift` added to the element of that index.
    static func naive(_ image: Reference, _ epsilon: Double, _ shift: (Int) -> Double) -> Double {
        let (height, width) = (image.shape[2], image.shape[3])
        let values = image.values.indices.map { image.values[$0] + shift($0) }
        return values.indices.reduce(0) { sum, index in
            let (row, column) = (index / width % height, index % width)
            let down = row + 1 < height ? values[index + width] - values[index] : 0
            let right = column + 1 < width ? values[index + 1] - values[index] : 0
            return sum + 0.5 * (down * down + right * right + epsilon * epsilon).squareRoot()
        }
    }
}
