import CKernels
import Foundation
import Testing

@Suite struct KernelsGELUTests {
    static func gelu(_ x: Double) -> Double { 0.5 * x * erfc(-x / 2.0.squareRoot()) }

    /// Values over the whole range where Φ changes, and far outside.
    static func inputs(_ n: Int) -> [Float] {
        let spread = uniform(n, seed: 30, in: -7...7)
        let special: [Float] = [0, -0.0, 12, -12, 13.2, -13.2, 100, -100, 3e4, -3e4, 1e-30, -1e-30]
        return n < 100 ? spread : special + spread.dropFirst(special.count)
    }

    @Test(arguments: KernelTable.all, oddCounts)
    func geluIsTheTrueNormalDistribution(table: KernelTable, n: Int) {
        let x = Guarded(Self.inputs(n)), y = Guarded(count: n)
        table.kernels.gelu(x.start, y.start, n)
        // Φ is good to 1e-7; the error of x·Φ is taken relative to values above 1.
        #expect(deviation(y.values, x.values.map { Self.gelu(Double($0)) }) < 2e-7)
        #expect(y.isIntact())
    }

    /// Wherever the next call's values would lie.
    @Test(arguments: KernelTable.all, oddCounts)
    func geluMaySumWhatItStores(table: KernelTable, n: Int) {
        let x = Guarded(uniform(n, seed: 31, in: -3...3))
        let y = Guarded(count: n), expected = Guarded(count: n)
        table.kernels.gelu(x.start, expected.start, n)
        for ahead in [0, n, 1 << 20] {
            let sum = table.kernels.gelu_sum(x.start, y.start, n, ahead)
            #expect(y.values == expected.values)
            // Each value below 3 joins one of at least four sums, rounded to 2⁻²⁴ of it.
            #expect(abs(Double(sum) - y.values.doubles.reduce(0, +)) < 3e-7 * Double(n * max(n / 4, 1)))
        }
        #expect(y.isIntact())
    }

    @Test(arguments: KernelTable.all)
    func geluIsGoodToOneInTenMillionEverywhere(table: KernelTable) {
        let x = Array(stride(from: Float(-14), through: 14, by: 0.001))
        var y = x
        table.kernels.gelu(x, &y, x.count)
        // The largest error found is 1.0e-7, of which the approximation itself is 3e-9.
        #expect(deviation(y, x.map { Self.gelu(Double($0)) }) < 1.25e-7)
    }

    @Test(arguments: KernelTable.all, oddCounts)
    func geluGradientIsTheSlope(table: KernelTable, n: Int) {
        let x = Guarded(Self.inputs(n)), g = Guarded(uniform(n, seed: 31), offset: 2), dx = Guarded(count: n)
        table.kernels.gelu_backward(x.start, g.start, dx.start, n)
        let expected = zip(x.values, g.values).map { Double($1) * slope(at: Double($0), Self.gelu) }
        // Two terms near 1, each rounded a few times.
        #expect(deviation(dx.values, expected) < 5e-7)
        #expect(dx.isIntact())
    }

    @Test(arguments: KernelTable.all, oddCounts)
    func gateMultipliesByTheSecondHalf(table: KernelTable, n: Int) {
        let a = Guarded(Self.inputs(n)), b = Guarded(uniform(n, seed: 32), offset: 2), y = Guarded(count: n)
        table.kernels.gelu_gate(a.start, b.start, y.start, n)
        // As for gelu, and one more rounding.
        #expect(deviation(y.values, zip(a.values, b.values).map { Self.gelu(Double($0)) * Double($1) }) < 3e-7)
        #expect(y.isIntact())
    }

    @Test(arguments: KernelTable.all, oddCounts)
    func gateGradientsAreTheSlopesAndMayReplaceTheInputs(table: KernelTable, n: Int) {
        let a = Self.inputs(n), b = uniform(n, seed: 33), g = uniform(n, seed: 34)
        let da = Guarded(a), db = Guarded(b, offset: 2), gradient = Guarded(g)
        table.kernels.gelu_gate_backward(da.start, db.start, gradient.start, da.start, db.start, n)
        let expectedA = a.indices.map { i in
            Double(g[i]) * slope(at: Double(a[i])) { Self.gelu($0) * Double(b[i]) }
        }
        // As for the gradient of gelu.
        #expect(deviation(da.values, expectedA) < 5e-7)
        #expect(deviation(db.values, a.indices.map { Double(g[$0]) * Self.gelu(Double(a[$0])) }) < 5e-7)
        #expect(da.isIntact() && db.isIntact())
    }
}
