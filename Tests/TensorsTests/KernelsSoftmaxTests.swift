import CKernels
import Foundation
import Testing

@Suite struct KernelsSoftmaxTests {
    /// Exponentials of arguments down to −80, which are rounded three times to 6e-8 of themselves.
    private let tolerance = 1.5e-5

    static func softmax(_ x: [Double], _ s: Double) -> [Double] {
        let peak = x.map { $0 * s }.max() ?? 0
        let exponentials = x.map { exp($0 * s - peak) }
        return exponentials.map { $0 / exponentials.reduce(0, +) }
    }

    @Test(arguments: KernelTable.all, oddCounts)
    func rowsAreExponentialsOverTheirSum(table: KernelTable, n: Int) {
        for (scale, range) in [(Float(1), Float(-1)...1), (-8, -5...5), (0, -1...1)] {
            let x = Guarded(uniform(n, seed: 60, in: range)), y = Guarded(count: n)
            table.kernels.softmax(x.start, scale, y.start, n)
            let expected = Self.softmax(x.values.doubles, Double(scale))
            for (found, expected) in zip(y.values.doubles, expected) {
                #expect(abs(found - expected) <= tolerance * expected)
            }
            #expect(y.isIntact())
        }
    }

    /// Where every exponential is below the least or above the largest float.
    @Test(arguments: KernelTable.all, [Float(-1e4), 1e4])
    func valuesFarFromZeroDoNotOverflow(table: KernelTable, offset: Float) {
        for n in [1, 5, 16, 37] {
            let x = Guarded([Float](repeating: offset, count: n)), y = Guarded(count: n)
            x.start[n - 1] += 200
            table.kernels.softmax(x.start, 1, y.start, n)
            #expect(y.values == [Float](repeating: 0, count: n - 1) + [1])
        }
    }

    @Test(arguments: KernelTable.all, oddCounts)
    func backwardIsTheSlope(table: KernelTable, n: Int) {
        let x = uniform(n, seed: 61), g = Guarded(uniform(n, seed: 62))
        let y = Guarded(Self.softmax(x.doubles, 1).map { Float($0) }), dx = Guarded(count: n)
        table.kernels.softmax_backward(y.start, g.start, dx.start, n)
        func loss(_ index: Int, _ step: Double) -> Double {
            var moved = x.doubles
            moved[index] += step
            return zip(Self.softmax(moved, 1), g.values.doubles).reduce(0) { $0 + $1.0 * $1.1 }
        }
        for index in 0..<min(n, 70) {
            let slope = (loss(index, 1e-4) - loss(index, -1e-4)) / 2e-4
            #expect(abs(Double(dx.values[index]) - slope) < 3e-7)
        }
        #expect(dx.isIntact())
    }
}
