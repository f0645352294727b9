import CKernels
import Testing

@Suite struct KernelsReductionTests {
    @Test(arguments: KernelTable.all, oddCounts + [100_003])
    func sumAndDotMatchDoubles(table: KernelTable, n: Int) {
        let a = Guarded(uniform(n, seed: 50, in: 0...1)), b = Guarded(uniform(n, seed: 51, in: 0...1), offset: 2)
        let sum = a.values.doubles.reduce(0, +)
        let dot = zip(a.values.doubles, b.values.doubles).reduce(0) { $0 + $1.0 * $1.1 }
        // At least 16 partial sums of n/16 positive values: roundings of random sign, √(n/16)·2⁻²⁴ and far below 3e-6.
        #expect(abs(Double(table.kernels.sum(a.start, n)) - sum) <= 3e-6 * sum)
        #expect(abs(Double(table.kernels.dot(a.start, b.start, n)) - dot) <= 3e-6 * dot)
    }

    @Test(arguments: KernelTable.all)
    func nothingSumsToZero(table: KernelTable) {
        let a = Guarded([])
        #expect(table.kernels.sum(a.start, 0) == 0)
        #expect(table.kernels.dot(a.start, a.start, 0) == 0)
    }

    @Test(arguments: KernelTable.all, oddCounts)
    func orderDoesNotDependOnAlignment(table: KernelTable, n: Int) {
        let values = uniform(n, seed: 52)
        let copies = (0..<17).map { Guarded(values, offset: $0) }
        let sums = copies.map { table.kernels.sum($0.start, n) }
        let dots = copies.map { table.kernels.dot($0.start, $0.start, n) }
        #expect(Set(sums).count == 1)
        #expect(Set(dots).count == 1)
    }
}
