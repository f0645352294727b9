import Tensors

/// Which parts of a photograph a step of ZS-N2N learns from (spec D.2): all of a small one in four strips, otherwise
/// four windows at random places. Parts are independent work, and the same at any number of threads.
///
/// Rows and columns that fill no block are left out. For sub-images those may be many, and hold what is nowhere else: each
/// step then leaves out others, some at either side.
struct ZeroShotCrops {
    /// A part of the photograph, in its pixels. Edges are multiples of twice the stride from where the step begins, so
    /// that all parts have the same blocks.
    struct Crop: Sendable, Equatable {
        /// Where the loss counts.
        let rows: Range<Int>
        let columns: Range<Int>
        /// That and what the network sees around it: as far as it reaches in images of half size.
        let seen: (rows: Range<Int>, columns: Range<Int>)

        var pixels: Int { rows.count * columns.count }

        func moved(down: Int, across: Int) -> Crop {
            func later(_ range: Range<Int>, _ distance: Int) -> Range<Int> {
                range.lowerBound + distance..<range.upperBound + distance
            }
            return Crop(
                rows: later(rows, down), columns: later(columns, across),
                seen: (later(seen.rows, down), later(seen.columns, across)))
        }

        static func == (a: Crop, b: Crop) -> Bool {
            a.rows == b.rows && a.columns == b.columns && a.seen.rows == b.seen.rows && a.seen.columns == b.seen.columns
        }
    }

    static let parts = 4

    /// Size of the photograph without the rows and columns that fill no block.
    private let height: Int
    private let width: Int
    /// Rows and columns that a step may begin later than the photograph.
    private let slack: (rows: Int, columns: Int)
    /// Side of a block of each sub-image, in pixels of the photograph.
    private let unit: Int
    private let pixels: Int

    /// - Throws: `ZeroShotError.tooSmall`.
    init(height: Int, width: Int, stride: Int, pixels: Int) throws(ZeroShotError) {
        unit = 2 * stride
        (self.height, self.width) = (height / unit * unit, width / unit * unit)
        // At stride 1 the last row or column is the one that is left out, as published.
        slack = stride > 1 ? (height % unit, width % unit) : (0, 0)
        self.pixels = pixels
        guard min(self.height, self.width) >= 4 * unit else {
            throw .tooSmall(height: height, width: width, least: 4 * unit)
        }
    }

    func windows(key: UInt64) -> [Crop] {
        var source = RandomSource(seed: key)
        let (down, across) = (source.index(below: slack.rows + 1), source.index(below: slack.columns + 1))
        return (height * width <= pixels ? strips : random(source)).map { $0.moved(down: down, across: across) }
    }

    private var strips: [Crop] {
        let count = height / unit
        return (0..<Self.parts).map { part in
            crop(count * part / Self.parts * unit..<count * (part + 1) / Self.parts * unit, 0..<width)
        }.filter { !$0.rows.isEmpty }
    }

    private func random(_ source: RandomSource) -> [Crop] {
        var source = source
        let area = pixels / Self.parts
        let side = Int(Double(area).squareRoot())
        // Narrow photographs have long windows.
        let across = min(width, max(side, area / height)) / unit * unit
        let down = min(height, area / across) / unit * unit
        return (0..<Self.parts).map { _ in
            let row = source.index(below: (height - down) / unit + 1) * unit
            let column = source.index(below: (width - across) / unit + 1) * unit
            return crop(row..<row + down, column..<column + across)
        }
    }

    private func crop(_ rows: Range<Int>, _ columns: Range<Int>) -> Crop {
        func grown(_ range: Range<Int>, _ limit: Int) -> Range<Int> {
            max(0, range.lowerBound - 2 * unit)..<min(limit, range.upperBound + 2 * unit)
        }
        return Crop(rows: rows, columns: columns, seen: (grown(rows, height), grown(columns, width)))
    }
}
