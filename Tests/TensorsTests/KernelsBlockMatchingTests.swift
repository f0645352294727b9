import CKernels
import Foundation
import Testing

/// BM3D's steps by their definition, in double precision.
private struct BlockOracle {
    let x: [Double]
    /// Nil in the first step.
    let guide: [Double]?
    let height: Int
    let width: Int
    let deviations: [Double]
    private(set) var sums: [Double]
    private(set) var weights: [Double]

    private static let side = 8
    private static let step = 4
    private static let reach = 12

    init(x: [Double], guide: [Double]?, height: Int, width: Int, deviations: [Double]) {
        (self.x, self.guide, self.height, self.width) = (x, guide, height, width)
        self.deviations = deviations
        sums = x.map { _ in 0 }
        weights = sums
    }

    mutating func filter(row: Int) {
        var columns = Array(stride(from: 0, through: width - Self.side, by: Self.step))
        if columns.last != width - Self.side { columns.append(width - Self.side) }
        for column in columns {
            let deviation = deviations[column / Self.step]
            let places = likes(row, column, deviation)
            var stack = walsh(places.map { Self.cosines(block(x, $0)) })
            var kept = 0.0
            if let guide {
                let clean = walsh(places.map { Self.cosines(block(guide, $0)) })
                for n in stack.indices {
                    for k in 0..<64 {
                        let power = clean[n][k] * clean[n][k]
                        let gain = power == 0 ? 0 : power / (power + deviation * deviation)
                        stack[n][k] *= gain
                        kept += gain * gain
                    }
                }
                kept = max(kept, 1e-3)
            } else {
                for n in stack.indices {
                    for k in 0..<64 where abs(stack[n][k]) <= 2.7 * deviation { stack[n][k] = 0 }
                    kept += Double(stack[n].count { $0 != 0 })
                }
                kept = max(kept, 1)
            }
            for (place, coefficients) in zip(places, walsh(stack)) {
                for (k, value) in Self.cosines(coefficients, back: true).enumerated() {
                    let p = (place.row + k / 8) * width + place.column + k % 8
                    sums[p] += value / kept
                    weights[p] += 1 / kept
                }
            }
        }
    }

    private func block(_ plane: [Double], _ place: (row: Int, column: Int)) -> [Double] {
        (0..<64).map { plane[(place.row + $0 / 8) * width + place.column + $0 % 8] }
    }

    /// The nearest blocks, the reference first, those as near as each other by row and column.
    private func likes(_ row: Int, _ column: Int, _ deviation: Double) -> [(row: Int, column: Int)] {
        let seen = guide ?? x
        let reference = block(seen, (row, column))
        var found: [(distance: Double, place: (row: Int, column: Int))] = []
        for y in max(row - Self.reach, 0)...min(row + Self.reach, height - Self.side) {
            for x in max(column - Self.reach, 0)...min(column + Self.reach, width - Self.side)
            where (y, x) != (row, column) {
                let distance = zip(reference, block(seen, (y, x))).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
                // Thirteen bits of a distance count.
                let coarse = Double(Float(bitPattern: Float(distance).bitPattern & ~1023))
                if distance < (guide == nil ? 25 : 4) * 64 * deviation * deviation { found.append((coarse, (y, x))) }
            }
        }
        // A stable order.
        let ordered = found.enumerated().sorted {
            ($0.element.distance, $0.offset) < ($1.element.distance, $1.offset)
        }
        let places = [(row, column)] + ordered.map(\.element.place)
        var count = 1
        while 2 * count <= min(places.count, guide == nil ? 16 : 32) { count *= 2 }
        return Array(places[..<count])
    }

    /// The orthonormal cosine transform of 8×8 samples, or its inverse.
    private static func cosines(_ block: [Double], back: Bool = false) -> [Double] {
        func basis(_ k: Int, _ n: Int) -> Double {
            (k == 0 ? 0.125.squareRoot() : 0.5) * cos(Double((2 * n + 1) * k) * .pi / 16)
        }
        func once(_ block: [Double]) -> [Double] {
            // Columns, transposed.
            (0..<64).map { index in
                (0..<8).reduce(0) { sum, n in
                    sum + (back ? basis(n, index % 8) : basis(index % 8, n)) * block[8 * n + index / 8]
                }
            }
        }
        return once(once(block))
    }

    /// Orthonormal; its own inverse.
    private func walsh(_ stack: [[Double]]) -> [[Double]] {
        guard stack.count > 1 else { return stack }
        let half = stack.count / 2
        let (low, high) = (Array(stack[..<half]), Array(stack[half...]))
        func joined(_ sign: Double) -> [[Double]] {
            zip(low, high).map { zip($0, $1).map { ($0 + sign * $1) / 2.0.squareRoot() } }
        }
        return walsh(joined(1)) + walsh(joined(-1))
    }
}

@Suite struct KernelsBlockMatchingTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let height: Int
        let width: Int
        let row: Int
        /// Row of x that the sums begin with.
        let first: Int
        var testDescription: String { "row \(row) of \(height)×\(width)" }

        static let all = [
            Case(height: 8, width: 8, row: 0, first: 0), Case(height: 9, width: 13, row: 1, first: 0),
            Case(height: 24, width: 71, row: 4, first: 0), Case(height: 40, width: 76, row: 32, first: 20),
            Case(height: 45, width: 139, row: 16, first: 4),
        ]
    }

    /// Stripes that repeat under noise, in steps of 1/64, of which single precision adds squares without error.
    private static func picture(_ size: Case, noise: Float, seed: UInt64) -> [Float] {
        let random = uniform(size.height * size.width, seed: seed, in: -1...1)
        return random.indices.map { p in
            let (row, column) = (p / size.width, p % size.width)
            let value = 0.5 + ((column + row / 3) % 6 < 3 ? 0.2 : -0.2) + noise * random[p]
            return (value * 64).rounded() / 64
        }
    }

    @Test(arguments: KernelTable.all, Case.all)
    func bothStepsAreTheirDefinition(table: KernelTable, size: Case) {
        let x = Guarded(Self.picture(size, noise: 0.15, seed: 5))
        let guide = Guarded(Self.picture(size, noise: 0.04, seed: 6))
        var noise = uniform((size.width + 3) / 4, seed: 7, in: 0.03...0.12)
        noise[noise.count / 3] = 0
        let deviations = Guarded(noise)
        let last = min(size.row + 20, size.height)
        let part = size.first * size.width..<last * size.width
        for isFirst in [true, false] {
            let sums = Guarded([Float](repeating: 0, count: part.count)), weights = Guarded(sums.values)
            table.kernels.filter_block_row(
                x.start, isFirst ? nil : UnsafePointer(guide.start), size.height, size.width, size.row,
                deviations.start, size.first, sums.start, weights.start)
            var oracle = BlockOracle(
                x: x.values.doubles, guide: isFirst ? nil : guide.values.doubles, height: size.height,
                width: size.width, deviations: noise.doubles)
            oracle.filter(row: size.row)
            #expect(oracle.weights.indices.allSatisfy { part.contains($0) || oracle.weights[$0] == 0 })
            // Weights reach 1000, where a step kept nothing.
            for (index, p) in part.enumerated() {
                let scale = 1e-4 * max(oracle.weights[p], 1e-3)
                #expect(abs(Double(sums.start[index]) - oracle.sums[p]) <= scale)
                #expect(abs(Double(weights.start[index]) - oracle.weights[p]) <= scale)
            }
            #expect(sums.isIntact() && weights.isIntact())
        }
    }
}
