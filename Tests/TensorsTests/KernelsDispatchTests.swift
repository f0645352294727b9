import CKernels
import Testing

@Suite struct KernelsDispatchTests {
    @Test func tablesHaveDistinctNamesAndEnd() {
        let names = KernelTable.all.map(\.testDescription)
        #expect(!names.isEmpty && Set(names).count == names.count)
        #expect(dn_kernel_table(Int32(names.count)) == nil)
        #expect(dn_kernel_table(-1) == nil)
    }

    @Test func activeTableIsOneOfThem() {
        #expect(KernelTable.all.contains { dn_kernel_table($0.index) == dn_active_kernels() })
    }
}
