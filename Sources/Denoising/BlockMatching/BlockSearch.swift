/// Finds the blocks of a plane that look most like one of them.
struct BlockSearch {
    private let plane: Plane
    /// How far it looks, in rows and columns.
    private static let reach = 10
    /// How many it finds where there is room.
    private static let most = 16

    init(_ plane: Plane) { self.plane = plane }

    /// The block itself and those around it of least squared difference, nearest first: a power of two.
    func similar(to place: BlockGroup.Place) -> [BlockGroup.Place] {
        let rows = Self.range(around: place.row, plane.height)
        let columns = Self.range(around: place.column, plane.width)
        let most = Self.most(of: rows.count * columns.count)
        return plane.samples.withUnsafeBufferPointer { samples in
            let block = CosineBlock(samples, at: place.row * plane.width + place.column, width: plane.width)
            var found = [(difference: Float, place: BlockGroup.Place)]()
            found.reserveCapacity(most + 1)
            var limit = Float.infinity
            for row in rows {
                for column in columns where row != place.row || column != place.column {
                    let difference = block.difference(
                        from: samples, at: row * plane.width + column, width: plane.width)
                    guard difference < limit else { continue }
                    var index = found.count
                    while index > 0, found[index - 1].difference > difference { index -= 1 }
                    found.insert((difference, .init(row: row, column: column)), at: index)
                    if found.count == most { found.removeLast() }
                    if found.count == most - 1 { limit = found.last?.difference ?? limit }
                }
            }
            return [place] + found.map(\.place)
        }
    }

    /// All rows that blocks found for these reference rows may lie in.
    func rows(around references: [Int]) -> Range<Int> {
        let first = references.first ?? 0
        let last = references.last ?? 0
        return max(first - Self.reach, 0)..<min(last + Self.reach + CosineBlock.side, plane.height)
    }

    private static func range(around start: Int, _ extent: Int) -> ClosedRange<Int> {
        max(start - reach, 0)...min(start + reach, extent - CosineBlock.side)
    }

    /// The largest power of two that is neither above `most` nor above the number of candidates.
    private static func most(of candidates: Int) -> Int {
        var most = Self.most
        while most > candidates { most /= 2 }
        return most
    }
}
