import CKernels
import Testing

@Suite struct KernelsDepthwiseTests {
    /// Every width from one value to past two of the widest vectors, and heights around a block of rows.
    static let planes: [(Int, Int)] =
        [(1, 1), (1, 7), (5, 1), (3, 3), (4, 4), (2, 2), (8, 8), (16, 16), (17, 33), (32, 32), (9, 129)]
        + (1...49).map { (1 + $0 % 11, $0) }

    @Test(arguments: KernelTable.all, planes)
    func everyBandOfRowsIsTheNaiveConvolution(table: KernelTable, plane: (Int, Int)) {
        let (h, w) = plane
        let x = Guarded(uniform(h * w, seed: 1))
        let weights = uniform(9, seed: 2)
        let expected = Self.convolve(x.values.doubles, h, w, weights.doubles, bias: 0.25)
        for (r0, r1) in Self.bands(h) {
            let y = Guarded(count: (r1 - r0) * w)
            table.kernels.depthwise3x3(x.start, h, w, r0, r1, weights, 0.25, y.start)
            // Ten roundings of a sum of at most nine products below 1: 10·9·2⁻²⁴ at worst.
            #expect(deviation(y.values, Array(expected[r0 * w..<r1 * w])) < 6e-6, "rows \(r0)..<\(r1)")
            #expect(y.isIntact(), "rows \(r0)..<\(r1)")
        }
    }

    @Test(arguments: KernelTable.all, planes)
    func weightGradientAddsTheSlopeOfEachTap(table: KernelTable, plane: (Int, Int)) {
        let (h, w) = plane
        let x = Guarded(uniform(h * w, seed: 3))
        let g = Guarded(uniform(h * w, seed: 4), offset: 2)
        let before = uniform(9, seed: 5)
        let dw = Guarded(before)
        table.kernels.depthwise3x3_weights(x.start, g.start, h, w, dw.start)
        let weights = uniform(9, seed: 6).doubles
        let expected = (0..<9).map { k in
            Double(before[k])
                + slope(at: weights[k]) { value in
                    var moved = weights
                    moved[k] = value
                    return Self.product(g.values.doubles, Self.convolve(x.values.doubles, h, w, moved, bias: 0))
                }
        }
        // Up to 1161 products below 1 in at least four partial sums of random signs: far below 300·2⁻²⁴·√300.
        #expect(deviation(dw.values, expected) < 1e-5)
        #expect(dw.isIntact())
    }

    @Test(arguments: KernelTable.all, [(1, 1), (1, 7), (5, 1), (4, 4), (6, 17)])
    func reversedWeightsGiveTheInputGradient(table: KernelTable, plane: (Int, Int)) {
        let (h, w) = plane
        let x = uniform(h * w, seed: 7).doubles
        let g = Guarded(uniform(h * w, seed: 8))
        let weights = uniform(9, seed: 9)
        let dx = Guarded(count: h * w)
        table.kernels.depthwise3x3(g.start, h, w, 0, h, weights.reversed(), 0, dx.start)
        let expected = x.indices.map { i in
            slope(at: x[i]) { value in
                var moved = x
                moved[i] = value
                return Self.product(g.values.doubles, Self.convolve(moved, h, w, weights.doubles, bias: 0))
            }
        }
        // As for the convolution.
        #expect(deviation(dx.values, expected) < 6e-6)
    }

    static func bands(_ h: Int) -> [(Int, Int)] {
        let cuts = [0, h / 3, h / 2, h - 1, h]
        return cuts.flatMap { r0 in cuts.filter { $0 > r0 }.map { (r0, $0) } }
    }

    static func convolve(_ x: [Double], _ h: Int, _ w: Int, _ weights: [Double], bias: Double) -> [Double] {
        var y = Array(repeating: bias, count: h * w)
        for r in 0..<h {
            for c in 0..<w {
                for k in 0..<9 {
                    let (row, column) = (r + k / 3 - 1, c + k % 3 - 1)
                    guard (0..<h).contains(row), (0..<w).contains(column) else { continue }
                    y[r * w + c] += weights[k] * x[row * w + column]
                }
            }
        }
        return y
    }

    static func product(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
}
