/// Joins denoised tiles into rows of the photograph, blending the overlaps.
///
/// Only the rows that tiles still contribute to are held: memory is one row of tiles, not the photograph. Contributions
/// are added in the order of the grid whatever order they arrive in, so the result does not depend on which worker was
/// first; a tile that is early is kept until its turn, and `next` tells a scheduler how far ahead it runs.
public struct Stitcher: Sendable {
    /// Whole rows of the photograph that no tile will change any more.
    public struct Band: Sendable {
        /// First row of the band in the photograph.
        public let row: Int
        /// `pixels.height` rows, as wide as the photograph.
        public let pixels: PlanarImage
    }

    private let grid: TileGrid
    private let channels: Int
    private let columnWeights: [[Float]]
    /// The first tile that has not been added; `grid.count` when all are.
    public private(set) var next = 0
    private var early: [Int: PlanarImage] = [:]
    /// (channel, row, column) sums of the open rows; row 0 is the first row of the current row of tiles.
    private var open: [Float]

    public init(grid: TileGrid, channels: Int) {
        self.grid = grid
        self.channels = channels
        columnWeights = (0..<grid.columns).map { grid.horizontal.weights(of: $0) }
        open = [Float](repeating: 0, count: channels * grid.tileHeight * grid.width)
    }

    /// True when every row has been handed over.
    public var isComplete: Bool { next == grid.count }
    /// Tiles that wait for an earlier one.
    public var waiting: Int { early.count }

    /// Adds the denoised pixels of tile `index`, padding included; `finished` gets the bands that this completes, from
    /// top to bottom, each row of the photograph exactly once.
    ///
    /// - Throws: what `finished` throws; the stitcher must not be used afterwards.
    /// - Precondition: the pixels have the grid's tile size, and no tile is added twice.
    public mutating func add<Failure: Error>(
        _ pixels: PlanarImage, of index: Int, finished: (Band) throws(Failure) -> Void
    ) throws(Failure) {
        precondition(
            pixels.width == grid.tileWidth && pixels.height == grid.tileHeight && pixels.channels == channels,
            "a tile must have the grid's tile size")
        precondition(index >= next && early[index] == nil, "tile \(index) was added twice")
        early[index] = pixels
        while let pixels = early.removeValue(forKey: next) {
            accumulate(pixels, of: next)
            next += 1
            if next % grid.columns == 0 { try finished(closeRows(of: next / grid.columns - 1)) }
        }
    }

    private mutating func accumulate(_ pixels: PlanarImage, of index: Int) {
        let tile = grid[index]
        let across = columnWeights[index % grid.columns]
        let down = grid.vertical.weights(of: index / grid.columns)
        let columns = min(tile.width, grid.width - tile.x)
        let rows = min(tile.height, grid.height - tile.y)
        for channel in 0..<channels {
            for row in 0..<rows {
                let source = (channel * tile.height + row) * tile.width
                let target = (channel * tile.height + row) * grid.width + tile.x
                for column in 0..<columns {
                    open[target + column] += down[row] * across[column] * pixels.samples[source + column]
                }
            }
        }
    }

    /// Takes the rows above the next row of tiles out of the open ones, and moves the others up.
    private mutating func closeRows(of row: Int) -> Band {
        let height = grid.tileHeight
        let first = grid.vertical.origins[row]
        let last = row + 1 < grid.rows ? grid.vertical.origins[row + 1] : grid.height
        let closed = last - first
        var band = PlanarImage(width: grid.width, height: closed, channels: channels)
        for channel in 0..<channels {
            let plane = channel * height * grid.width
            let kept = (height - closed) * grid.width
            band.samples.replaceSubrange(
                channel * closed * grid.width..<(channel + 1) * closed * grid.width,
                with: open[plane..<plane + closed * grid.width])
            for offset in 0..<height * grid.width {
                open[plane + offset] = offset < kept ? open[plane + closed * grid.width + offset] : 0
            }
        }
        return Band(row: first, pixels: band)
    }
}
