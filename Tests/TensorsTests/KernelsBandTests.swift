import CKernels
import Tensors
import Testing

/// Kernels of the banded blocks: rows in a ring, packed pixels, Winograd's convolution.
@Suite struct KernelsBandTests {
    static let bands = [(1, 1, 1), (1, 2, 15), (2, 3, 16), (3, 4, 17), (2, 5, 33), (4, 1, 64), (1, 2, 130)]

    @Test(arguments: KernelTable.all, bands)
    func aBandOfRowsInARingIsTheNaiveConvolution(table: KernelTable, band: (Int, Int, Int)) {
        let (channels, rows, columns) = band
        let (slots, pitch) = (rows + 2, columns + 3)
        let x = Guarded(uniform(channels * slots * pitch, seed: 1))
        let (weights, bias) = (uniform(9 * channels, seed: 2), uniform(channels, seed: 3))
        // The rows lie in the ring in any order; the topmost is missing.
        let offsets = (0..<slots).map { $0 == 0 ? -1 : ($0 + 1) % slots * pitch + 1 }
        let y = Guarded(count: channels * rows * columns)
        table.kernels.depthwise3x3_band(
            x.start, slots * pitch, offsets, rows, columns, channels, weights, bias, y.start, rows * columns)
        let source = x.values.doubles
        let expected = (0..<channels * rows * columns).map { index -> Double in
            let (c, r, i) = (index / (rows * columns), index / columns % rows, index % columns)
            return (0..<9).reduce(Double(bias[c])) { sum, tap in
                let offset = offsets[r + tap / 3]
                guard offset >= 0 else { return sum }
                return sum + Double(weights[9 * c + tap]) * source[c * slots * pitch + offset + i + tap % 3 - 1]
            }
        }
        // Ten roundings of a sum of at most nine products below 1.
        #expect(deviation(y.values, expected) < 6e-6)
        #expect(y.isIntact())
    }

    static let mixtures = [(1, 1, 1), (5, 3, 17), (8, 2, 32), (13, 7, 33), (24, 30, 100), (27, 300, 65), (33, 40, 47)]

    @Test(arguments: KernelTable.all, mixtures)
    func scalesBiasAndBaseJoinTheProduct(table: KernelTable, size: (Int, Int, Int)) {
        let (outputs, inputs, pixels) = size
        let columns = Int(table.kernels.mix_columns)
        let (w, bias) = (uniform(outputs * inputs, seed: 4), uniform(outputs, seed: 5))
        let (rowScale, columnScale) = (uniform(outputs, seed: 6), uniform(inputs, seed: 7))
        let x = Guarded(uniform(inputs * pixels, seed: 8))
        let base = Guarded(uniform(outputs * pixels, seed: 9))
        var packed = [Float](repeating: .nan, count: table.kernels.packed_weights(outputs, inputs))
        var panels = [Float](repeating: .nan, count: (pixels + columns - 1) / columns * columns * inputs)
        table.kernels.pack_weights(w, inputs, 1, rowScale, columnScale, outputs, inputs, &packed)
        table.kernels.pack_pixels(x.start, pixels, inputs, pixels, 0, &panels)
        let y = Guarded(count: outputs * pixels)
        table.kernels.mix_packed(
            packed, bias, outputs, inputs, panels, pixels, base.start, pixels, y.start, pixels)
        let (source, before) = (x.values.doubles, base.values.doubles)
        let expected = (0..<outputs * pixels).map { index -> Double in
            let (o, p) = (index / pixels, index % pixels)
            return (0..<inputs).reduce(Double(bias[o]) + before[index]) {
                let weight = Double(w[o * inputs + $1]) * Double(rowScale[o]) * Double(columnScale[$1])
                return $0 + weight * source[$1 * pixels + p]
            }
        }
        #expect(deviation(y.values, expected) < table.sumError(inputs))
        #expect(y.isIntact())
    }

    static let shapes = [1, 2, 5, 48].flatMap { channels in [1, 16, 17, 32, 70].map { (channels, $0) } }

    /// As the norms of planes, which tests of their own hold to doubles: rounding in another order, 1e-5 of values near
    /// 1.
    @Test(arguments: KernelTable.all, shapes)
    func packedPixelsAreNormalisedLikePlanes(table: KernelTable, shape: (Int, Int)) {
        let (channels, pixels) = shape
        let columns = Int(table.kernels.mix_columns)
        let x = uniform(channels * pixels, seed: 10)
        let (w, b) = (uniform(channels, seed: 11), uniform(channels, seed: 12))
        for isAffine in [false, true] {
            var expected = [Float](repeating: 0, count: channels * pixels)
            var panels = [Float](repeating: 0, count: (pixels + columns - 1) / columns * columns * channels)
            table.kernels.pack_pixels(x, pixels, channels, pixels, 0, &panels)
            if isAffine {
                table.kernels.norm_affine(x, pixels, channels, pixels, w, b, 1e-3, &expected, pixels)
                table.kernels.norm_affine_packed(&panels, channels, pixels, w, b, 1e-3)
            } else {
                table.kernels.norm_biasfree(x, pixels, channels, pixels, w, 1e-3, &expected, pixels)
                table.kernels.norm_biasfree_packed(&panels, channels, pixels, w, 1e-3)
            }
            let actual = (0..<channels * pixels).map { index -> Float in
                let (c, p) = (index / pixels, index % pixels)
                return panels[(p / columns * channels + c) * columns + p % columns]
            }
            #expect(deviation(actual, expected.doubles) < 1e-5)
        }
    }

    static let convolutions = [
        (1, 1, 1, 1, 1), (1, 2, 2, 4, 3), (3, 5, 1, 5, 8), (13, 4, 3, 7, 17), (4, 13, 2, 9, 33), (2, 3, 1, 3, 64),
        (8, 8, 1, 6, 65), (5, 2, 1, 4, 150), (12, 70, 2, 4, 30), (2, 1, 1, 600, 1), (33, 34, 1, 17, 66),
        (3, 4, 2, 13, 64), (40, 33, 1, 9, 128), (2, 3, 2, 6, 256), (1, 2, 1, 3, 127),
    ]

    /// F(4×4, 3×3) adds up to 36 terms before each product and after all of them: five times the rounding of the plain sum
    /// of 9·inputs products holds it even where these are few.
    @Test(arguments: KernelTable.all, convolutions)
    func everyTableConvolvesLikeTheNaiveSum(table: KernelTable, size: (Int, Int, Int, Int, Int)) {
        let (outputs, inputs, images, h, w) = size
        let sizes = table.kernels.convolution_sizes(outputs, inputs)
        let x = Guarded(uniform(inputs * images * h * w, seed: 13))
        let (weights, bias) = (uniform(outputs * inputs * 9, seed: 14), uniform(outputs, seed: 15))
        var u = [Float](repeating: .nan, count: sizes.weights)
        table.kernels.convolution_weights(weights, outputs, inputs, &u)
        let scratch = Guarded(count: sizes.scratch)
        let source = Reference(Tensor([inputs, images, h, w], x.values))
        let expected = Reference.values([outputs, images, h, w]) { o, image, row, column in
            (0..<9 * inputs).reduce(Double(bias[o])) { sum, tap in
                let (i, dy, dx) = (tap / 9, tap / 3 % 3 - 1, tap % 3 - 1)
                return sum + Double(weights[o * 9 * inputs + tap]) * source[i, image, row + dy, column + dx]
            }
        }
        for slope: Float in [1, 0.2, 0] {
            let y = Guarded(count: outputs * images * h * w)
            table.kernels.convolution3x3(
                u, bias, slope, outputs, inputs, x.start, images, h, w, y.start, scratch.start)
            let rectified = expected.map { $0 > 0 ? $0 : Double(slope) * $0 }
            #expect(deviation(y.values, rectified) < 5 * table.sumError(inputs * 9))
            #expect(y.isIntact())
            #expect(scratch.isIntact())
        }
    }

    static let gradients = [
        (1, 1, 1, 1, 1), (2, 3, 2, 4, 3), (5, 2, 1, 5, 130), (7, 5, 3, 7, 17), (48, 3, 1, 9, 33), (33, 34, 1, 17, 66),
        (3, 4, 2, 13, 64), (40, 33, 1, 9, 128),
        (40, 70, 2, 5, 3), (3, 2, 1, 900, 2), (64, 96, 1, 12, 20), (65, 33, 1, 3, 300),
        (6, 5, 40, 4, 4), (9, 700, 9, 2, 3), (3, 2, 70, 1, 1), (2, 1, 3, 40, 40),
    ]

    /// dw counts the gradients of earlier calls; 1e-6 of it is rounding.
    @Test(arguments: KernelTable.all, gradients)
    func everyTableSumsAConvolutionsGradientLikeTheNaiveSum(table: KernelTable, size: (Int, Int, Int, Int, Int)) {
        let (outputs, inputs, images, h, w) = size
        let (g, x) = (
            Guarded(uniform(outputs * images * h * w, seed: 16)), Guarded(uniform(inputs * images * h * w, seed: 17))
        )
        let scratch = Guarded(count: table.kernels.convolution_gradient_scratch(outputs, inputs))
        let dw = Guarded(uniform(outputs * inputs * 9, seed: 18))
        let before = dw.values.doubles
        table.kernels.convolution3x3_gradient(
            g.start, outputs, x.start, inputs, images, h, w, dw.start, scratch.start)
        let source = Reference(Tensor([inputs, images, h, w], x.values))
        let gradient = Reference(Tensor([outputs, images, h, w], g.values))
        let expected = before.indices.map { index -> Double in
            let (o, i, dy, dx) = (index / 9 / inputs, index / 9 % inputs, index / 3 % 3 - 1, index % 3 - 1)
            return (0..<images * h * w).reduce(before[index]) { sum, pixel in
                let (image, row, column) = (pixel / w / h, pixel / w % h, pixel % w)
                return sum + gradient[o, image, row, column] * source[i, image, row + dy, column + dx]
            }
        }
        #expect(deviation(dw.values, expected) < table.sumError(images * h * w) + 1e-6)
        #expect(dw.isIntact())
        #expect(scratch.isIntact())
    }
}
