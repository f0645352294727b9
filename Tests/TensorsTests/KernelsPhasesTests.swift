import CKernels
import Testing

@Suite struct KernelsPhasesTests {
    /// Values only move; what is added is rounded once. Rows as long as several vectors and a rest.
    @Test(arguments: KernelTable.all, oddCounts)
    func everyTablePartsAndJoinsRows(table: KernelTable, count: Int) {
        for factor in 1...3 {
            let row = uniform(factor * count, seed: 5), base = uniform(factor * count, seed: 6), stride = count + 3
            let parted = Guarded(count: (factor - 1) * stride + count), joined = Guarded(count: factor * count)
            table.kernels.part_phases(row, factor, count, parted.start, stride)
            let values = parted.values
            #expect(row.indices.map { values[$0 % factor * stride + $0 / factor] } == row)
            #expect(parted.isIntact())
            table.kernels.join_phases(parted.start, stride, factor, count, nil, joined.start)
            #expect(joined.values == row && joined.isIntact())
            table.kernels.join_phases(parted.start, stride, factor, count, base, joined.start)
            #expect(joined.values == zip(row, base).map { $0 + $1 } && joined.isIntact())
        }
    }
}
