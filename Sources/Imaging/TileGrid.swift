/// A rectangle of the photograph that a network sees at once, in pixels of the photograph.
///
/// A tile may reach past the right and bottom edge, up to the next multiple of the alignment: what lies there is
/// padding.
public struct Tile: Sendable, Equatable {
    public let x: Int
    public let y: Int
    public let width: Int
    public let height: Int

    public init(x: Int, y: Int, width: Int, height: Int) {
        self.x = x
        self.y = y
        self.width = width
        self.height = height
    }
}

/// Tiles of one size that cover a photograph with overlap.
///
/// Networks with global statistics (attention, channel gates) mix differently in tiles of different size, so all tiles
/// of a photograph have the same size and none is a thin remainder: the slack is spread evenly over the overlaps.
/// Origins and sizes are multiples of `alignment`, so the phase of pixel downsampling is that of the whole photograph.
public struct TileGrid: Sendable, Equatable {
    /// Size of the photograph.
    public let width: Int
    public let height: Int
    let horizontal: TileAxis
    let vertical: TileAxis

    /// - Parameters:
    ///   - tile: largest side of a tile in pixels, rounded down to a multiple of `alignment`. A photograph that fits
    ///     in one tile once padded to the alignment is one tile of exactly that size.
    ///   - overlap: fewest pixels that neighbours share, rounded up to a multiple of `alignment`.
    ///   - alignment: what origins and sizes must be a multiple of: downsampling stride × the network's own multiple.
    /// - Throws: `TilePlanError` if a size is below 1, the overlap is negative, or a tile would be all overlap.
    public init(width: Int, height: Int, tile: Int, overlap: Int, alignment: Int) throws(TilePlanError) {
        self.width = width
        self.height = height
        horizontal = try TileAxis(length: width, tile: tile, overlap: overlap, alignment: alignment)
        vertical = try TileAxis(length: height, tile: tile, overlap: overlap, alignment: alignment)
    }

    public var columns: Int { horizontal.origins.count }
    public var rows: Int { vertical.origins.count }
    /// Number of tiles.
    public var count: Int { rows * columns }
    /// Size that every tile has.
    public var tileWidth: Int { horizontal.size }
    public var tileHeight: Int { vertical.size }

    /// The tiles row by row, each row from left to right.
    public subscript(index: Int) -> Tile {
        Tile(
            x: horizontal.origins[index % columns], y: vertical.origins[index / columns], width: tileWidth,
            height: tileHeight)
    }

    /// Pixels to process per pixel of the photograph: what overlap and padding cost.
    public var overhead: Double {
        Double(count) * Double(tileWidth * tileHeight) / (Double(width) * Double(height))
    }
}

/// How one side of a photograph is cut.
struct TileAxis: Sendable, Equatable {
    let length: Int
    /// Length of every tile.
    let size: Int
    let origins: [Int]

    init(length: Int, tile: Int, overlap: Int, alignment: Int) throws(TilePlanError) {
        guard length > 0, tile > 0, overlap >= 0, alignment > 0 else {
            throw TilePlanError(code: .invalidSize, tile: tile, overlap: overlap, alignment: alignment)
        }
        self.length = length
        // Everything below counts in units of the alignment.
        let total = (length - 1) / alignment + 1
        let largest = max(tile / alignment, 1)
        guard total > largest else {
            size = total * alignment
            origins = [0]
            return
        }
        let shared = overlap == 0 ? 0 : (overlap - 1) / alignment + 1
        guard largest > shared else {
            throw TilePlanError(code: .overlapTooLarge, tile: tile, overlap: overlap, alignment: alignment)
        }
        // Fewest tiles with count·largest − (count − 1)·shared ≥ total, then the smallest size that still satisfies it:
        // then the largest step, ⌈(total − size)/(count − 1)⌉, leaves at least `shared` in common.
        let count = (total - shared - 1) / (largest - shared) + 1
        let balanced = (total + (count - 1) * shared - 1) / count + 1
        size = balanced * alignment
        origins = (0..<count).map { $0 * (total - balanced) / (count - 1) * alignment }
    }

    /// The share of tile `index` in each of its pixels: 1 where it is alone, linear ramps over the overlaps.
    /// The shares of all tiles add up to 1 in every pixel, also where more than two overlap.
    func weights(of index: Int) -> [Float] {
        let origin = origins[index]
        return (0..<size).map { offset in
            let position = origin + offset
            let covering = origins.indices.filter { origins[$0] <= position && position < origins[$0] + size }
            guard covering.count > 1 else { return 1 }
            return Float(ramp(of: index, at: position) / covering.reduce(0) { $0 + ramp(of: $1, at: position) })
        }
    }

    /// Height above 0 of the trapezium that a tile contributes before normalisation, at most 1.
    private func ramp(of index: Int, at position: Int) -> Double {
        let start = origins[index]
        var height = 1.0
        if index > 0 {
            let shared = Double(origins[index - 1] + size - start)
            height = min(height, (Double(position - start) + 0.5) / max(shared, 1))
        }
        if index + 1 < origins.count {
            let shared = Double(start + size - origins[index + 1])
            height = min(height, (Double(start + size - position) - 0.5) / max(shared, 1))
        }
        return height
    }
}

/// Why a photograph cannot be cut as asked.
public struct TilePlanError: Error, Equatable, CustomStringConvertible {
    public enum Code: Sendable {
        /// A size or alignment below 1, or a negative overlap.
        case invalidSize
        /// Tiles would not advance: the overlap, rounded up, fills the tile, rounded down.
        case overlapTooLarge
    }

    public let code: Code
    public let tile: Int
    public let overlap: Int
    public let alignment: Int

    public var description: String {
        switch code {
        case .invalidSize:
            "tiles of \(tile) pixels with \(overlap) shared, aligned to \(alignment), are not possible: "
                + "use a tile of at least 1 and an overlap of at least 0"
        case .overlapTooLarge:
            "tiles of \(tile) pixels with \(overlap) shared, aligned to \(alignment), would not advance: "
                + "use a larger tile or a smaller overlap"
        }
    }
}

extension PlanarImage {
    /// The pixels of a tile; those past the edge are `padding`, 0 being what a network takes for a hidden pixel.
    public func cropped(to tile: Tile, padding: Float = 0) -> PlanarImage {
        var crop = PlanarImage(width: tile.width, height: tile.height, channels: channels, repeating: padding)
        let columns = max(min(tile.width, width - tile.x), 0)
        let rows = max(min(tile.height, height - tile.y), 0)
        for channel in 0..<channels {
            for row in 0..<rows {
                let source = (channel * height + tile.y + row) * width + tile.x
                let target = (channel * tile.height + row) * tile.width
                crop.samples.replaceSubrange(
                    target..<target + columns, with: samples[source..<source + columns])
            }
        }
        return crop
    }
}
