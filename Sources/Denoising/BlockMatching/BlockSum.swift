/// Weighted sums of overlapping blocks over some rows of a plane.
struct BlockSum {
    private let rows: Range<Int>
    private let width: Int
    private var values: [Float]
    private var weights: [Float]

    /// Kaiser's window (β = 2), which fades blocks out towards their borders.
    private static let window: CosineBlock = {
        let half: [Float] = [0.1924, 0.2989, 0.3846, 0.4325]
        let side = half + half.reversed()
        return CosineBlock((0..<64).map { side[$0 / 8] * side[$0 % 8] })
    }()

    init(rows: Range<Int>, width: Int) {
        self.rows = rows
        self.width = width
        values = [Float](repeating: 0, count: rows.count * width)
        weights = values
    }

    mutating func add(_ blocks: [CosineBlock], at places: [BlockGroup.Place], weight: Float) {
        let window = Self.window
        values.withUnsafeMutableBufferPointer { values in
            weights.withUnsafeMutableBufferPointer { weights in
                for (block, place) in zip(blocks, places) {
                    for row in 0..<CosineBlock.side {
                        let start = (place.row + row - rows.lowerBound) * width + place.column
                        let share = weight * window.rows[row]
                        let addend = share * block.rows[row]
                        for column in 0..<CosineBlock.side {
                            values[start + column] += addend[column]
                            weights[start + column] += share[column]
                        }
                    }
                }
            }
        }
    }

    /// The means; where no block lies, the plane.
    static func joined(_ sums: [BlockSum], over plane: Plane) -> Plane {
        var result = plane
        var weights = [Float](repeating: 0, count: plane.samples.count)
        for index in result.samples.indices { result.samples[index] = 0 }
        for sum in sums {
            let start = sum.rows.lowerBound * sum.width
            for index in sum.values.indices {
                result.samples[start + index] += sum.values[index]
                weights[start + index] += sum.weights[index]
            }
        }
        for index in weights.indices {
            result.samples[index] = weights[index] > 0 ? result.samples[index] / weights[index] : plane.samples[index]
        }
        return result
    }
}
