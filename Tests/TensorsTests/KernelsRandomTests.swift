import CKernels
import Testing

@Suite struct KernelsRandomTests {
    @Test(arguments: KernelTable.all, oddCounts)
    func maskIsTheBitsBelowTheThreshold(table: KernelTable, n: Int) {
        let (key, row, threshold): (UInt64, UInt32, UInt32) = (0x0123_4567_89ab_cdef, 9, 1 << 30)
        for column in [0, 1, 37, UInt32.max - 5] {
            let mask = Guarded(count: n)
            table.kernels.random_mask(key, row, column, n, threshold, mask.start)
            #expect(
                mask.values
                    == (0..<UInt32(n)).map { i in
                        dn_random_bits(key, row, column &+ i) < threshold ? 1 : 0
                    })
            #expect(mask.isIntact())
        }
    }

    @Test(arguments: KernelTable.all)
    func maskOfARangeIsASliceOfTheRow(table: KernelTable) {
        var row = Array(repeating: Float(-1), count: 300)
        table.kernels.random_mask(5, 7, 0, row.count, 1 << 31, &row)
        for (a, b) in [(0, 1), (1, 300), (13, 14), (17, 222), (130, 259)] {
            var slice = Array(repeating: Float(-1), count: b - a)
            table.kernels.random_mask(5, 7, UInt32(a), b - a, 1 << 31, &slice)
            #expect(slice == Array(row[a..<b]))
        }
    }

    @Test(arguments: KernelTable.all, [0.5, 0.16, 0.01])
    func maskDensityIsTheThreshold(table: KernelTable, density: Double) {
        let (rows, columns) = (512, 512)
        var mask = Array(repeating: Float(0), count: columns)
        var ones = 0.0
        for row in 0..<rows {
            table.kernels.random_mask(99, UInt32(row), 0, columns, UInt32(density * 4_294_967_296), &mask)
            ones += Double(mask.reduce(0, +))
        }
        let n = Double(rows * columns)
        // Four and a half standard deviations of a binomial share.
        #expect(abs(ones / n - density) < 4.5 * (density * (1 - density) / n).squareRoot())
    }

    /// Bits as numbers of mean 0 and variance 1.
    private func standard(_ bits: UInt32) -> Double { (Double(bits) / 4_294_967_296 - 0.5) * 12.0.squareRoot() }

    @Test func bitsAreUniform() {
        var counts = Array(repeating: 0.0, count: 256)
        var sum = 0.0
        let n = 512 * 512
        for row in 0..<UInt32(512) {
            for column in 0..<UInt32(512) {
                let bits = dn_random_bits(1, row, column)
                counts[Int(bits >> 24)] += 1
                sum += standard(bits)
            }
        }
        // Four and a half standard deviations of the mean.
        #expect(abs(sum) / Double(n) < 4.5 / Double(n).squareRoot())
        let share = Double(n) / 256
        let chiSquare = counts.reduce(0) { $0 + ($1 - share) * ($1 - share) / share }
        // 255 degrees of freedom: mean 255, standard deviation √510 = 22.6, four and a half of them.
        #expect(abs(chiSquare - 255) < 102)
    }

    @Test(arguments: [1, 2, 16, 256, 65_536] as [UInt32])
    func neighboursAreUncorrelated(distance: UInt32) {
        let side = UInt32(256)
        var column = 0.0, row = 0.0, key = 0.0, highKey = 0.0, diagonal = 0.0
        for r in 0..<side {
            for c in 0..<side {
                let here = standard(dn_random_bits(3, r, c))
                column += here * standard(dn_random_bits(3, r, c + distance))
                row += here * standard(dn_random_bits(3, r + distance, c))
                key += here * standard(dn_random_bits(3 + UInt64(distance), r, c))
                highKey += here * standard(dn_random_bits(3 + UInt64(distance) << 32, r, c))
                diagonal += here * standard(dn_random_bits(3, c + distance, r))
            }
        }
        for correlation in [column, row, key, highKey, diagonal] {
            // The sum of side² products of unit variance: four and a half standard deviations.
            #expect(abs(correlation) < 4.5 * Double(side))
        }
    }

    @Test func everyInputBitFlipsHalfOfTheOutputBits() {
        var flipped = Array(repeating: 0, count: 128)
        let samples = UInt32(2000)
        for sample in 0..<samples {
            let (key, row, column) = (UInt64(sample) &* 77, sample &* 3, sample &* 5)
            let bits = dn_random_bits(key, row, column)
            for bit in 0..<64 { flipped[bit] += (bits ^ dn_random_bits(key ^ 1 << bit, row, column)).nonzeroBitCount }
            for bit in 0..<32 {
                flipped[64 + bit] += (bits ^ dn_random_bits(key, row ^ 1 << bit, column)).nonzeroBitCount
                flipped[96 + bit] += (bits ^ dn_random_bits(key, row, column ^ 1 << bit)).nonzeroBitCount
            }
        }
        // 16 of 32 bits on average; √8/√2000 = 0.063 is one standard deviation, and hashes of few rounds stay near it.
        for (bit, count) in flipped.enumerated() {
            #expect(abs(Double(count) / Double(samples) - 16) < 0.4, "input bit \(bit)")
        }
    }
}
