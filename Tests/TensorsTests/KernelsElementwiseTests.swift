import CKernels
import Testing

@Suite struct KernelsElementwiseTests {
    typealias Output = UnsafeMutablePointer<Float>

    /// Runs the kernel into guarded memory, and again into its second input, and compares both.
    private func check(
        _ n: Int, tolerance: Double, _ kernel: (Output, Output, Output, Output) -> Void,
        _ expected: (Double, Double, Double) -> Double
    ) {
        let a = uniform(n, seed: 40), b = uniform(n, seed: 41), c = uniform(n, seed: 42)
        let first = Guarded(a), second = Guarded(b, offset: 2), third = Guarded(c, offset: 5), y = Guarded(count: n)
        let oracle = a.indices.map { expected(Double(a[$0]), Double(b[$0]), Double(c[$0])) }
        kernel(first.start, second.start, third.start, y.start)
        #expect(deviation(y.values, oracle) <= tolerance)
        #expect(y.isIntact())
        kernel(first.start, second.start, third.start, second.start)
        #expect(second.values == y.values && second.isIntact())
    }

    /// One rounding of a value below 2, or of a product below 1: 2⁻²³ is its bound with room for a second one.
    static let rounding = 1.2e-7

    @Test(arguments: KernelTable.all, oddCounts)
    func sumsAndProductsAreRoundedOnce(table: KernelTable, n: Int) {
        let kernels = table.kernels
        check(n, tolerance: Self.rounding, { kernels.add($0, $1, $3, n) }, { a, b, _ in a + b })
        check(n, tolerance: Self.rounding, { kernels.multiply($0, $1, $3, n) }, { a, b, _ in a * b })
        check(n, tolerance: Self.rounding, { kernels.scale_add($0, 0.75, $1, $3, n) }, { a, b, _ in a + 0.75 * b })
        check(
            n, tolerance: Self.rounding, { a, _, _, y in kernels.scale_offset(a, 0.75, 0.5, y, n) },
            { a, _, _ in 0.75 * a + 0.5 })
    }

    @Test(arguments: KernelTable.all, oddCounts)
    func selectBlendsByTheMask(table: KernelTable, n: Int) {
        // Four roundings of values below 2.
        check(
            n, tolerance: 4 * Self.rounding, { table.kernels.select($0, $1, $2, $3, n) },
            { m, a, b in m * a + (1 - m) * b })
    }

    @Test(arguments: KernelTable.all, oddCounts)
    func selectTakesEitherInputWholeUnderABinaryMask(table: KernelTable, n: Int) {
        let mask = (0..<n).map { Float($0 % 3 == 0 ? 1 : 0) }
        let a = uniform(n, seed: 43), b = uniform(n, seed: 44), y = Guarded(count: n)
        table.kernels.select(mask, a, b, y.start, n)
        #expect(y.values == mask.indices.map { mask[$0] == 1 ? a[$0] : b[$0] })
    }

    @Test(arguments: KernelTable.all, oddCounts)
    func axpyAddsToItsOutput(table: KernelTable, n: Int) {
        let x = uniform(n, seed: 45), before = uniform(n, seed: 46)
        let y = Guarded(before)
        table.kernels.axpy(-0.75, x, y.start, n)
        #expect(deviation(y.values, x.indices.map { Double(before[$0]) - 0.75 * Double(x[$0]) }) <= Self.rounding)
        #expect(y.isIntact())
    }

    @Test(arguments: KernelTable.all, oddCounts)
    func leakyReLUAndItsGradientDependOnTheSign(table: KernelTable, n: Int) {
        let kernels = table.kernels
        // One product.
        check(
            n, tolerance: Self.rounding, { a, _, _, y in kernels.leaky_relu(a, 0.2, y, n) },
            { a, _, _ in a > 0 ? a : Double(Float(0.2)) * a })
        check(
            n, tolerance: Self.rounding, { kernels.leaky_relu_backward($0, $1, 0.2, $3, n) },
            { y, g, _ in y > 0 ? g : Double(Float(0.2)) * g })
    }
}
