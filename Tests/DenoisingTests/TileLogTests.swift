import Foundation
import Imaging
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Denoising

/// Photographs that go on where an earlier run was interrupted.
@Suite struct TileLogTests {
    /// Folders of one test: a photograph of twelve tiles, and what runs leave.
    private struct Place {
        let folder: FilePath
        let source: FilePath
        let output: FilePath
        let model: Model

        var checkpoints: FilePath { folder.appending("checkpoints") }

        init(_ folder: FilePath) throws {
            self.folder = folder
            source = folder.appending("photo.png")
            output = try Small.folder("out", in: folder)
            model = try Small.model(in: folder)
            let pixels = Small.pixels(PixelKind(depth: 8, colourChannels: 3), width: 200, height: 150)
            try Small.write(Photograph(pixels: pixels, format: .png), .png, to: source)
        }

        func denoiser(_ checkpoints: TileCheckpoints?, seed: UInt64? = nil, threads: Int = 2) throws
            -> PhotographDenoiser
        {
            var options = ImageOptions()
            options.preset = .balanced
            options.threads = threads
            options.tile = 64
            options.overlap = 8
            options.seed = seed
            return try PhotographDenoiser(options: options, model: model, checkpoints: checkpoints)
        }

        /// Every tile is kept from the first on, unless said otherwise.
        func log(delay: Duration = .zero, largest: Int = 4 << 30) -> TileCheckpoints {
            TileCheckpoints(folder: checkpoints, delay: delay, largest: largest)
        }

        func denoise(_ checkpoints: TileCheckpoints?, seed: UInt64? = nil) throws -> (bytes: Data, resumed: Double?) {
            let report = try denoiser(checkpoints, seed: seed).denoise(source, into: output) { _ in }
            return (try Small.bytes(FilePath(report.output)), report.metrics["tiles_resumed"])
        }

        /// The tiles of a run that ended when so much was done, as they were on the disk at that moment: by one thread,
        /// so that no other is writing just then.
        func interrupted(at fraction: Double) throws -> (name: String, bytes: Data) {
            let copy = Mutex<(String, Data)?>(nil)
            _ = try denoiser(log(), threads: 1).denoise(source, into: output) { done in
                guard done >= fraction else { return }
                copy.withLock { copy in
                    guard copy == nil, let name = try? Small.names(in: checkpoints).first else { return }
                    copy = (try? Small.bytes(checkpoints.appending(name))).map { (name, $0) }
                }
            }
            return try #require(copy.withLock { $0 })
        }

        func put(_ tiles: (name: String, bytes: Data)) throws {
            try? FileManager.default.createDirectory(atPath: checkpoints.string, withIntermediateDirectories: false)
            try tiles.bytes.write(to: URL(filePath: checkpoints.appending(tiles.name).string))
        }
    }

    private func inPlace(_ body: (Place) throws -> Void) throws {
        try withTemporaryPath { try body(try Place($0)) }
    }

    @Test(arguments: [0.2, 0.5, 0.9]) func anInterruptedPhotographBecomesTheSameBytes(_ fraction: Double) throws {
        try inPlace { place in
            let whole = try place.denoise(nil)
            #expect(whole.resumed == nil)
            try place.put(place.interrupted(at: fraction))
            let resumed = try place.denoise(place.log())
            #expect(resumed.bytes == whole.bytes)
            #expect(try #require(resumed.resumed) >= (fraction * 12).rounded(.down))
            #expect(try Small.names(in: place.checkpoints).isEmpty)
        }
    }

    @Test func damagedAndCutTilesAreComputedAgain() throws {
        try inPlace { place in
            let whole = try place.denoise(nil).bytes
            var tiles = try place.interrupted(at: 0.9)
            try place.put(tiles)
            let intact = try #require(try place.denoise(place.log()).resumed)
            tiles.bytes[tiles.bytes.count / 2] ^= 1
            tiles.bytes.removeLast(100)
            try place.put(tiles)
            let resumed = try place.denoise(place.log())
            #expect(resumed.bytes == whole)
            #expect(resumed.resumed == intact - 2)
        }
    }

    @Test(arguments: [0, 1, 40, 90]) func aFileThatIsHardlyBegunIsNotInTheWay(bytes: Int) throws {
        try inPlace { place in
            let whole = try place.denoise(nil).bytes
            let tiles = try place.interrupted(at: 0.5)
            try place.put((tiles.name, tiles.bytes.prefix(bytes)))
            let resumed = try place.denoise(place.log())
            #expect(resumed.bytes == whole && resumed.resumed == 0)
        }
    }

    @Test func tilesOfAnotherRecipeAreNotTaken() throws {
        try inPlace { place in
            let whole = try place.denoise(nil, seed: 5).bytes
            try place.put(place.interrupted(at: 0.5))
            let other = try place.denoise(place.log(), seed: 5)
            #expect(other.bytes == whole && other.resumed == 0)
            #expect(try Small.names(in: place.checkpoints).isEmpty)
        }
    }

    @Test func anOutputThatCannotBeWrittenCostsNoSecondComputation() throws {
        try inPlace { place in
            #expect(throws: ImagingError.self) {
                try place.denoiser(place.log()).denoise(place.source, into: place.folder.appending("nowhere")) { _ in }
            }
            #expect(try Small.names(in: place.checkpoints).count == 1)
            let resumed = try place.denoise(place.log())
            #expect(resumed.resumed == 12)
            #expect(resumed.bytes == (try place.denoise(nil).bytes))
        }
    }

    @Test func aPhotographThatIsSoonDoneLeavesNothing() throws {
        try inPlace { place in
            let quick = try place.denoise(place.log(delay: .seconds(3600)))
            #expect(quick.resumed == 0)
            #expect(!FileManager.default.fileExists(atPath: place.checkpoints.string))
        }
    }

    @Test func aFolderThatCannotBeWrittenStopsNothing() throws {
        try inPlace { place in
            try Data().write(to: URL(filePath: place.checkpoints.string))
            #expect(try place.denoise(place.log()).bytes == (try place.denoise(nil).bytes))
        }
    }

    @Test func tilesTakeNoMoreRoomThanAllowed() throws {
        try inPlace { place in
            let tiles = try place.interrupted(at: 0.9)
            let limit = tiles.bytes.count / 2
            #expect(throws: ImagingError.self) {
                try place.denoiser(place.log(largest: limit))
                    .denoise(place.source, into: place.folder.appending("nowhere")) { _ in }
            }
            let name = try #require(try Small.names(in: place.checkpoints).first)
            #expect(try Small.bytes(place.checkpoints.appending(name)).count <= limit)
        }
    }
}
