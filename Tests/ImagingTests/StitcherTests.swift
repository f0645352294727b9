import Imaging
import Testing

@Suite struct StitcherTests {
    /// A value for every pixel that no other pixel near it has.
    func picture(width: Int, height: Int, channels: Int) -> PlanarImage {
        var state: UInt32 = 1
        let samples = (0..<channels * height * width).map { _ in
            state = state &* 1_664_525 &+ 1_013_904_223
            return Float(state >> 8) / Float(1 << 24)
        }
        return PlanarImage(width: width, height: height, channels: channels, samples: samples)
    }

    /// Cuts, lets `change` alter each tile, joins in the given order, and returns the photograph with its bands' first
    /// rows.
    func join(
        _ image: PlanarImage, _ grid: TileGrid, order: [Int], change: (Int, PlanarImage) -> PlanarImage = { $1 }
    ) -> (PlanarImage, starts: [Int]) {
        var stitcher = Stitcher(grid: grid, channels: image.channels)
        var joined = PlanarImage(width: image.width, height: image.height, channels: image.channels, repeating: .nan)
        var starts: [Int] = []
        for index in order {
            stitcher.add(change(index, image.cropped(to: grid[index])), of: index) { band in
                starts.append(band.row)
                for channel in 0..<image.channels {
                    for row in 0..<band.pixels.height {
                        for column in 0..<image.width {
                            joined[channel, band.row + row, column] = band.pixels[channel, row, column]
                        }
                    }
                }
            }
        }
        #expect(stitcher.isComplete)
        #expect(stitcher.waiting == 0)
        return (joined, starts)
    }

    @Test("untouched tiles join to the photograph", arguments: Cut.all)
    func identity(cut: Cut) throws {
        let image = picture(width: cut.width, height: cut.height, channels: 2)
        let grid = try cut.grid()
        let (joined, starts) = join(image, grid, order: Array(0..<grid.count))
        // Values up to 1, at most a handful of rounded products each: 1e-6 is 8 units in the last place.
        #expect(zip(joined.samples, image.samples).allSatisfy { abs($0 - $1) <= 1e-6 })
        #expect(starts == starts.sorted())
        #expect(starts.count == grid.rows)
    }

    @Test("the shares of the tiles add up to 1", arguments: Cut.all)
    func partitionOfUnity(cut: Cut) throws {
        let ones = PlanarImage(width: cut.width, height: cut.height, channels: 1, repeating: 1)
        let grid = try cut.grid()
        let (joined, _) = join(ones, grid, order: Array(0..<grid.count))
        // Rounded weights and products: a few units in the last place of 1.
        #expect(joined.samples.allSatisfy { abs($0 - 1) <= 1e-6 })
    }

    @Test func theBytesDoNotDependOnTheOrderOfArrival() throws {
        let image = picture(width: 150, height: 120, channels: 3)
        let grid = try TileGrid(width: 150, height: 120, tile: 64, overlap: 20, alignment: 2)
        let change = { (index: Int, tile: PlanarImage) in
            var changed = tile
            for sample in changed.samples.indices { changed.samples[sample] += Float(index) * 0.37 }
            return changed
        }
        let forward = join(image, grid, order: Array(0..<grid.count), change: change)
        let backward = join(image, grid, order: Array((0..<grid.count).reversed()), change: change)
        let mixed = join(image, grid, order: (0..<grid.count).map { ($0 * 5 + 3) % grid.count }, change: change)
        #expect(forward.0 == backward.0)
        #expect(forward.0 == mixed.0)
        #expect(backward.starts == forward.starts)
    }

    @Test func twoTilesOfDifferentBrightnessMeetInALinearRamp() throws {
        let grid = try TileGrid(width: 112, height: 8, tile: 64, overlap: 16, alignment: 8)
        let zero = PlanarImage(width: 112, height: 8, channels: 1)
        let (joined, _) = join(zero, grid, order: [0, 1]) { index, tile in
            PlanarImage(width: tile.width, height: tile.height, channels: 1, repeating: Float(index))
        }
        for column in 0..<112 {
            let expected = min(max((Float(column - 48) + 0.5) / 16, 0), 1)
            #expect(abs(joined[0, 3, column] - expected) <= 1e-6)
        }
    }

    @Test func aFailureToTakeABandIsPassedOn() throws {
        struct DiskFull: Error {}
        let grid = try TileGrid(width: 8, height: 8, tile: 16, overlap: 0, alignment: 8)
        var stitcher = Stitcher(grid: grid, channels: 1)
        #expect(throws: DiskFull.self) {
            try stitcher.add(PlanarImage(width: 8, height: 8, channels: 1), of: 0) { _ in throw DiskFull() }
        }
    }
}
