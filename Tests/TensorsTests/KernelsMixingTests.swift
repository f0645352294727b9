import CKernels
import Testing

@Suite struct KernelsMixingTests {
    /// Sizes around the kernels' groups of 4, 6, 12, 16 and 32 outputs, 32 inputs and 8, 16 and 32 pixels, around the
    /// panel's width, and some with several blocks.
    static let sizes = [
        (1, 1, 1), (3, 27, 31), (4, 5, 8), (6, 1, 33), (7, 12, 64), (12, 24, 255), (13, 3, 257), (24, 24, 300),
        (25, 400, 65), (32, 33, 32), (65, 190, 49), (40, 300, 150),
    ]

    @Test(arguments: KernelTable.all, sizes)
    func everyTableMixesChannelsLikeTheNaiveSum(table: KernelTable, size: (Int, Int, Int)) {
        let (outputs, inputs, pixels) = size
        let w = (0..<outputs * inputs).map { Float(($0 * 37 + 11) % 101) / 50 - 1 }
        let bias = (0..<outputs).map { Float($0) / 7 - 1 }
        let stride = pixels + 3
        let x = (0..<inputs * stride).map { Float(($0 * 53 + 5) % 211) / 105 - 1 }
        for (transposed, adding) in [(false, false), (true, false), (false, true)] {
            var y = (0..<outputs * stride).map { Float($0 % 13) }
            let before = y
            let columns = Int(table.kernels.mix_columns)
            var packed = [Float](repeating: .nan, count: table.kernels.packed_weights(outputs, inputs))
            var panels = [Float](repeating: .nan, count: (pixels + columns - 1) / columns * columns * inputs)
            table.kernels.pack_weights(
                w, transposed ? 1 : inputs, transposed ? outputs : 1, nil, nil, outputs, inputs, &packed)
            table.kernels.pack_pixels(x, stride, inputs, pixels, 0, &panels)
            table.kernels.mix_packed(
                packed, transposed ? nil : bias, outputs, inputs, panels, pixels, adding ? before : nil, stride, &y,
                stride)
            var worst = 0.0
            for o in 0..<outputs {
                for p in 0..<stride {
                    let index = o * stride + p
                    guard p < pixels else {
                        #expect(y[index] == before[index], "wrote behind the last pixel")
                        continue
                    }
                    var sum = (transposed ? 0 : Double(bias[o])) + (adding ? Double(before[index]) : 0)
                    for i in 0..<inputs {
                        sum += Double(w[transposed ? i * outputs + o : o * inputs + i]) * Double(x[i * stride + p])
                    }
                    worst = max(worst, abs(sum - Double(y[index])))
                }
            }
            #expect(worst < table.sumError(inputs))
        }
    }

    /// A matrix whose rows are the pixels is packed like its transpose; NaN behind each row shows reads past its end.
    @Test(arguments: KernelTable.all, oddCounts.prefix(13))
    func rowsOfPixelsArePackedAlike(table: KernelTable, inputs: Int) {
        let columns = Int(table.kernels.mix_columns)
        for pixels in [1, columns / 2, columns / 2 + 1, columns, 3 * columns - 1] {
            let stride = inputs + 3
            let x = uniform(pixels * stride, seed: 9).enumerated().map { $0 % stride < inputs ? $1 : .nan }
            let planes = (0..<inputs * pixels).map { x[$0 % pixels * stride + $0 / pixels] }
            let count = (pixels + columns - 1) / columns * columns * inputs
            let found = Guarded(count: count), expected = Guarded(count: count)
            table.kernels.pack_transposed(x, stride, pixels, inputs, found.start)
            table.kernels.pack_pixels(planes, pixels, inputs, pixels, 0, expected.start)
            #expect(found.values == expected.values)
            #expect(found.isIntact())
        }
    }

    /// NaN behind each row shows reads past its end.
    @Test(arguments: KernelTable.all, sizes)
    func everyTableSumsTheWeightGradientLikeTheNaiveSum(table: KernelTable, size: (Int, Int, Int)) {
        let (outputs, inputs, pixels) = size
        let stride = pixels + 1
        func planes(_ count: Int, _ seed: UInt64) -> [Float] {
            var values = uniform(count * stride, seed: seed)
            for row in 0..<count { values[row * stride + pixels] = .nan }
            return values
        }
        let (g, x) = (planes(outputs, 3), planes(inputs, 4))
        var dw = [Float](repeating: 2, count: outputs * (inputs + 1))
        table.kernels.mix_channels_weights(g, stride, outputs, x, stride, inputs, pixels, &dw, inputs + 1)
        var worst = 0.0
        for o in 0..<outputs {
            #expect(dw[o * (inputs + 1) + inputs] == 2, "wrote behind a row")
            for i in 0..<inputs {
                let sum = (0..<pixels).reduce(2.0) { $0 + Double(g[o * stride + $1]) * Double(x[i * stride + $1]) }
                worst = max(worst, abs(sum - Double(dw[o * (inputs + 1) + i])))
            }
        }
        #expect(worst < table.sumError(pixels))
    }
}
