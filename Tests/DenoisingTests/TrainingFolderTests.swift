import Denoising
import Imaging
import Methods
import SystemPackage
import Tensors
import TestSupport
import Testing

@Suite struct TrainingFolderTests {
    /// Two folders of one capture each, and one file that is no photograph.
    static func withFolders(_ body: (_ noisy: FilePath, _ clean: FilePath) throws -> Void) throws {
        try withTemporaryPath { root in
            let (noisy, clean) = (try Small.folder("noisy", in: root), try Small.folder("clean", in: root))
            for (folder, kind) in [(noisy, PixelKind.all[2]), (clean, PixelKind(depth: 16, colourChannels: 1))] {
                let photograph = Photograph(pixels: Small.pixels(kind, width: 61, height: 47), format: .png)
                try Small.write(photograph, .png, to: folder.appending("photo.png"))
            }
            try body(noisy, clean)
        }
    }

    @Test func aSampleDependsOnItsKeyAlone() throws {
        try Self.withFolders { noisy, clean in
            let folder = try TrainingFolder(noisy: [noisy], clean: [clean], side: 40) { _ in }
            let again = try TrainingFolder(noisy: [noisy], clean: [clean], side: 40) { _ in }
            for objective in Objective.allCases {
                let samples = try (0..<20).map { try folder.sample(for: objective, crop: 40, key: $0) }
                let repeated = try (0..<20).reversed().map { try again.sample(for: objective, crop: 40, key: $0) }
                #expect(samples.map(\.noisy.values) == repeated.reversed().map(\.noisy.values))
                #expect(samples.map { $0.clean?.values } == repeated.reversed().map { $0.clean?.values })
                #expect(Set(samples.map(\.noisy.values)).count > 15)
                #expect(samples.allSatisfy { $0.noisy.shape == [3, 1, 40, 40] && $0.noisy.isFinite })
                #expect(samples.allSatisfy { ($0.clean != nil) == objective.needsClean })
            }
        }
    }

    /// Eight-bit values are kept, so a crop's values are levels; all crops come from inside.
    @Test func cropsHoldThePhotographsOwnLevels() throws {
        try Self.withFolders { noisy, clean in
            let folder = try TrainingFolder(noisy: [noisy], clean: [clean], side: 40) { _ in }
            let levels = Set(Small.pixels(PixelKind.all[2], width: 61, height: 47).allSamples.map { $0 / 255 })
            for key in 0..<20 {
                let values = try folder.sample(for: .masked, crop: 40, key: UInt64(key)).noisy.values
                #expect(levels.isSuperset(of: values))
            }
        }
    }

    @Test func wholePhotographsAreSeenFromAllFourSides() throws {
        try withTemporaryPath { folder in
            let pixels = Small.pixels(PixelKind.all[2], width: 12, height: 12)
            try Small.write(Photograph(pixels: pixels, format: .png), .png, to: folder.appending("photo.png"))
            let source = try TrainingFolder(noisy: [folder], clean: [], side: 12) { _ in }
            let seen = try Set((0..<40).map { try source.sample(for: .transfer, crop: 12, key: $0).noisy.values })
            #expect(seen.count == 4)
            let upright = pixels.planar().samples
            #expect(seen.contains { zip($0, upright).allSatisfy { abs($0 - $1) < 1e-6 } })
        }
    }

    @Test func filesThatCannotServeAreNamedAndSkipped() throws {
        try Self.withFolders { noisy, _ in
            let small = Photograph(pixels: Small.pixels(PixelKind.all[2], width: 39, height: 60), format: .png)
            try Small.write(small, .png, to: noisy.appending("small.png"))
            var skipped: [String] = []
            let folder = try TrainingFolder(noisy: [noisy], clean: [], side: 40) { skipped.append($0) }
            #expect(folder.count == (1, 0))
            #expect(skipped.count == 1 && skipped[0].contains("small.png: 39×60 pixels are too few for crops of 40"))
            #expect(throws: OptionsError.self) { try folder.sample(for: .synthetic, crop: 40, key: 0) }
        }
    }

    @Test func aFolderWithoutPhotographsIsAnError() throws {
        try Self.withFolders { noisy, _ in
            let error = #expect(throws: OptionsError.self) {
                try TrainingFolder(noisy: [noisy], clean: [], side: 100) { _ in }
            }
            #expect(error?.description.contains("holds no photograph of at least 100×100 pixels") == true)
            #expect(throws: OptionsError.self) {
                try TrainingFolder(noisy: [noisy.appending("missing")], clean: [], side: 40) { _ in }
            }
        }
    }
}
