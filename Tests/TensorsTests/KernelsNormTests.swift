import CKernels
import Testing

@Suite struct KernelsNormTests {
    struct Shape: Sendable, CustomTestStringConvertible {
        let channels: Int, pixels: Int
        var stride: Int { pixels + 3 }
        var size: Int { channels * stride - 3 }
        var testDescription: String { "\(channels) channels of \(pixels) pixels" }
        var rows: [Range<Int>] { (0..<channels).map { $0 * stride..<$0 * stride + pixels } }

        static let all = [1, 2, 7, 8, 9, 17, 48].flatMap { channels in
            [1, 3, 4, 7, 16, 17, 33, 65, 129, 255, 300].map { Shape(channels: channels, pixels: $0) }
        }
    }

    /// A norm in doubles over one pixel's channels.
    typealias Norm = @Sendable (_ x: [Double], _ w: [Double], _ b: [Double]) -> [Double]
    static let eps = 1e-5

    static let biasFree: Norm = { x, w, _ in
        let deviation = moments(x).deviation
        return x.indices.map { w[$0] * x[$0] / deviation }
    }
    static let affine: Norm = { x, w, b in
        let (mean, deviation) = moments(x)
        return x.indices.map { w[$0] * (x[$0] - mean) / deviation + b[$0] }
    }

    @Test(arguments: KernelTable.all, Shape.all)
    func biasFreeKeepsTheMeanInTheNumerator(table: KernelTable, shape: Shape) {
        checkForward(shape, Self.biasFree) { x, w, _, y, yStride in
            table.kernels.norm_biasfree(x, shape.stride, shape.channels, shape.pixels, w, Float(Self.eps), y, yStride)
        }
    }

    @Test(arguments: KernelTable.all, Shape.all)
    func affineCentresScalesAndShifts(table: KernelTable, shape: Shape) {
        checkForward(shape, Self.affine) { x, w, b, y, yStride in
            table.kernels.norm_affine(x, shape.stride, shape.channels, shape.pixels, w, b, Float(Self.eps), y, yStride)
        }
    }

    @Test(arguments: KernelTable.all, Shape.all)
    func biasFreeGradientsAreTheSlopes(table: KernelTable, shape: Shape) {
        checkBackward(shape, Self.biasFree, hasBias: false) { x, g, w, dx, dw, _ in
            table.kernels.norm_biasfree_backward(
                x, g, shape.stride, shape.channels, shape.pixels, w, Float(Self.eps), dx, dw)
        }
    }

    @Test(arguments: KernelTable.all, Shape.all)
    func affineGradientsAreTheSlopes(table: KernelTable, shape: Shape) {
        checkBackward(shape, Self.affine, hasBias: true) { x, g, w, dx, dw, db in
            table.kernels.norm_affine_backward(
                x, g, shape.stride, shape.channels, shape.pixels, w, Float(Self.eps), dx, dw, db)
        }
    }

    @Test(arguments: KernelTable.all)
    func varianceSurvivesAMeanFarFromZero(table: KernelTable) {
        let (channels, pixels) = (48, 17)
        let x = uniform(channels * pixels, seed: 20, in: 999...1001)
        let y = Guarded(count: x.count)
        let ones = Array(repeating: Float(1), count: channels), zeros = Array(repeating: Float(0), count: channels)
        table.kernels.norm_affine(x, pixels, channels, pixels, ones, zeros, Float(Self.eps), y.start, pixels)
        for p in 0..<pixels {
            let column = (0..<channels).map { $0 * pixels + p }
            let expected = Self.affine(column.map { Double(x[$0]) }, ones.doubles, zeros.doubles)
            // The mean of values near 1000 is rounded to 6e-5 and divided by a deviation of 0.58.
            #expect(deviation(column.map { y.values[$0] }, expected) < 3e-4)
        }
    }

    typealias Forward = (
        UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int
    ) -> Void

    private func checkForward(_ shape: Shape, _ norm: Norm, _ kernel: Forward) {
        let x = Guarded(uniform(shape.size, seed: 10, in: -1...2))
        let w = uniform(shape.channels, seed: 11), b = uniform(shape.channels, seed: 12)
        let yStride = shape.pixels + 5
        let y = Guarded(count: shape.channels * yStride - 5)
        kernel(x.start, w, b, y.start, yStride)
        #expect(y.isIntact(outside: (0..<shape.channels).map { $0 * yStride..<$0 * yStride + shape.pixels }))
        var worst = 0.0
        let (input, output) = (x.values, y.values)
        for p in 0..<shape.pixels {
            let column = (0..<shape.channels).map { Double(input[$0 * shape.stride + p]) }
            let result = (0..<shape.channels).map { output[$0 * yStride + p] }
            worst = max(worst, deviation(result, norm(column, w.doubles, b.doubles)))
        }
        // 1/S of one or two channels reaches 1/√ε = 316: it multiplies the rounding of x − μ, 1.2e-7.
        #expect(worst < (shape.channels < 3 ? 1e-4 : 4e-6))
    }

    typealias Backward = (
        UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Float>,
        UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>
    ) -> Void

    private func checkBackward(_ shape: Shape, _ norm: Norm, hasBias: Bool, _ kernel: Backward) {
        let x = Guarded(uniform(shape.size, seed: 13, in: -1...2))
        let g = Guarded(uniform(shape.size, seed: 14), offset: 2)
        let w = uniform(shape.channels, seed: 15, in: 0.5...1.5), start = uniform(shape.channels, seed: 16)
        let dx = Guarded(count: shape.size), dw = Guarded(start), db = Guarded(start)
        kernel(x.start, g.start, w, dx.start, dw.start, db.start)
        #expect(dx.isIntact(outside: shape.rows))
        #expect(dw.isIntact() && db.isIntact())
        let expected = Self.slopes(shape, x.values.doubles, g.values.doubles, w.doubles, norm)
        let written = shape.rows.flatMap { $0 }
        // One and two channels divide by S³ down to ε^1.5 = 3e-8; three and more by numbers near 1.
        let scale = max(1, expected.x.map(abs).max()!)
        let worst = zip(written.map { dx.values[$0] }, expected.x).map { abs(Double($0) - $1) }.max()!
        #expect(worst / scale < (shape.channels < 3 ? 1e-3 : 1e-5))
        // Sums of up to 300 values near 1 in partial sums.
        let sums = shape.channels < 3 ? 1e-3 : 2e-5
        #expect(deviation(dw.values, zip(start.doubles, expected.w).map(+)) < sums)
        #expect(deviation(db.values, hasBias ? zip(start.doubles, expected.b).map(+) : start.doubles) < sums)
    }

    /// Finite differences of Σ g·norm(x): dx by channel and pixel, dw and db by channel.
    private static func slopes(
        _ shape: Shape, _ x: [Double], _ g: [Double], _ w: [Double], _ norm: Norm
    ) -> (x: [Double], w: [Double], b: [Double]) {
        let (channels, pixels) = (shape.channels, shape.pixels)
        var dx = Array(repeating: 0.0, count: channels * pixels)
        var dw = Array(repeating: 0.0, count: channels), db = dw
        let zeros = dw
        for p in 0..<pixels {
            let column = (0..<channels).map { x[$0 * shape.stride + p] }
            let gradient = (0..<channels).map { g[$0 * shape.stride + p] }
            func loss(_ x: [Double], _ w: [Double], _ b: [Double]) -> Double {
                zip(gradient, norm(x, w, b)).reduce(0) { $0 + $1.0 * $1.1 }
            }
            func replacing(_ values: [Double], _ c: Int, _ value: Double) -> [Double] {
                var moved = values
                moved[c] = value
                return moved
            }
            for c in 0..<channels {
                dx[c * pixels + p] = slope(at: column[c]) { loss(replacing(column, c, $0), w, zeros) }
                dw[c] += slope(at: w[c]) { loss(column, replacing(w, c, $0), zeros) }
                db[c] += slope(at: 0) { loss(column, w, replacing(zeros, c, $0)) }
            }
        }
        return (dx, dw, db)
    }

    private static func moments(_ x: [Double]) -> (mean: Double, deviation: Double) {
        let mean = x.reduce(0, +) / Double(x.count)
        let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count)
        return (mean, (variance + eps).squareRoot())
    }
}
