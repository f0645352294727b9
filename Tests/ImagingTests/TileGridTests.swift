import Imaging
import Testing

/// A photograph's size and how it is to be cut.
struct Cut: CustomTestStringConvertible, Sendable {
    let width, height, tile, overlap, alignment: Int

    var testDescription: String { "\(width)×\(height), tile \(tile), overlap \(overlap), alignment \(alignment)" }

    func grid() throws -> TileGrid {
        try TileGrid(width: width, height: height, tile: tile, overlap: overlap, alignment: alignment)
    }

    /// Smaller than a tile, one pixel, just above a tile, odd, and the sizes of cameras.
    static let all: [Cut] =
        [
            (1, 1), (1, 300), (3, 5), (63, 64), (64, 64), (65, 64), (100, 7), (129, 97), (200, 131), (257, 190),
            (640, 1),
        ].flatMap { width, height in
            [(64, 16, 16), (64, 8, 2), (64, 0, 1), (48, 30, 1), (64, 31, 8), (70, 20, 10)].map {
                Cut(width: width, height: height, tile: $0.0, overlap: $0.1, alignment: $0.2)
            }
        }

    static let photographs = [
        (6000, 4000), (4032, 3024), (8256, 5504), (513, 512), (12000, 9000),
    ].flatMap { width, height in
        [(512, 64, 16), (512, 64, 2), (256, 32, 80), (1024, 128, 32)].map {
            Cut(width: width, height: height, tile: $0.0, overlap: $0.1, alignment: $0.2)
        }
    }
}

@Suite struct TileGridTests {
    @Test("tiles are equal, aligned, and cover the padded image with overlap", arguments: Cut.all + Cut.photographs)
    func covers(cut: Cut) throws {
        let grid = try cut.grid()
        let padded = (cut.width + cut.alignment - 1) / cut.alignment * cut.alignment
        let tiles = (0..<grid.columns).map { grid[$0] }
        #expect(tiles.first?.x == 0)
        #expect(tiles.last.map { $0.x + $0.width } == padded)
        #expect(tiles.allSatisfy { $0.width == grid.tileWidth && $0.width <= max(cut.tile, cut.alignment) })
        #expect(tiles.allSatisfy { $0.x % cut.alignment == 0 && $0.width % cut.alignment == 0 })
        for (left, right) in zip(tiles, tiles.dropFirst()) {
            #expect(left.x + left.width - right.x >= cut.overlap)
            #expect(right.x > left.x)
        }
    }

    @Test func anImageThatFitsIsOneTileOfItsPaddedSize() throws {
        let grid = try TileGrid(width: 300, height: 1, tile: 512, overlap: 64, alignment: 16)
        #expect(grid.count == 1)
        #expect(grid[0] == Tile(x: 0, y: 0, width: 304, height: 16))
    }

    @Test func twentyFourMegapixelsCostLessThanTwoFifthsExtra() throws {
        let grid = try TileGrid(width: 6000, height: 4000, tile: 512, overlap: 64, alignment: 16)
        #expect(grid.count == 126)
        #expect(grid.overhead < 1.4)
    }

    @Test func aTileThatIsAllOverlapIsAnErrorThatSaysWhatToDo() {
        let error = #expect(throws: TilePlanError.self) {
            try TileGrid(width: 500, height: 500, tile: 64, overlap: 60, alignment: 16)
        }
        #expect(error?.code == .overlapTooLarge)
        #expect(error?.description.contains("larger tile") == true)
        #expect(throws: TilePlanError.self) {
            try TileGrid(width: 0, height: 5, tile: 64, overlap: 0, alignment: 1)
        }
    }

    @Test func aCropHoldsTheTilesPixelsAndPaddingPastTheEdge() {
        let image = PlanarImage(width: 3, height: 2, channels: 2, samples: (0..<12).map(Float.init))
        let crop = image.cropped(to: Tile(x: 1, y: 1, width: 4, height: 2), padding: -1)
        #expect(crop.samples == [4, 5, -1, -1, -1, -1, -1, -1, 10, 11, -1, -1, -1, -1, -1, -1])
    }
}
