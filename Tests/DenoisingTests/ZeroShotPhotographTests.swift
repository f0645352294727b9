@testable import Denoising
import Imaging
import Methods
import Synchronization
import SystemPackage
import TestSupport
import Testing

@Suite struct ZeroShotPhotographTests {
    /// Steps for tests.
    private static func method(_ channels: Int, seed: UInt64 = 1) -> ZeroShot {
        var schedule = ZeroShot.Schedule()
        schedule.steps = 20
        return ZeroShot(channels: channels, seed: seed, schedule: schedule)
    }

    private static func run(
        _ pixels: PixelBuffer, threads: Int = 1, tile: Int = 256,
        progress: @escaping @Sendable (Double) -> Void = { _ in }
    ) throws -> PixelBuffer {
        var options = ImageOptions()
        options.method = .zsn2n
        options.threads = threads
        options.tile = tile
        return try TiledDenoising(
            method(pixels.colourChannels), options, pixels, noiseSample: pixels.noiseSample, of: "photograph.png"
        ).run(on: pixels, progress: progress)
    }

    @Test(arguments: PixelKind.all) func everyKindOfPixelsLearnsFromItself(kind: PixelKind) throws {
        let pixels = Small.pixels(kind)
        let output = try Self.run(pixels)
        #expect((output.width, output.height, output.bitDepth) == (pixels.width, pixels.height, kind.depth))
        #expect(output.plane(0) != pixels.plane(0))
        for channel in kind.colourChannels..<kind.colourChannels + kind.extraChannels.count {
            #expect(output.plane(channel) == pixels.plane(channel))
        }
    }

    @Test func threadsAndTilesChangeNothing() throws {
        let pixels = Small.pixels(PixelKind(depth: 8, colourChannels: 3))
        let output = try Self.run(pixels)
        #expect(try Self.run(pixels, threads: 3) == output)
        // Only pixels near a tile's edge differ, and there the neighbour weighs more: below 1/255 on average.
        let tiled = try Self.run(pixels, tile: 32)
        let squares = zip(tiled.allSamples, output.allSamples).map { ($0 - $1) * ($0 - $1) }
        #expect(squares.contains { $0 > 0 })
        #expect(squares.reduce(0, +) / Float(squares.count) < 1)
    }

    @Test func progressIsMostlyLearningAndNeverFalls() throws {
        let seen = Mutex<[Double]>([])
        _ = try Self.run(Small.pixels(PixelKind(depth: 8, colourChannels: 1))) { share in
            seen.withLock { $0.append(share) }
        }
        let shares = seen.withLock { $0 }
        #expect(shares == shares.sorted() && shares.count == 21 && shares.last == 1)
        #expect(shares[19] > 0.95)
    }

    @Test func aPhotographThatIsTooSmallIsNamed() throws {
        let pixels = Small.pixels(PixelKind(depth: 8, colourChannels: 3), width: 7, height: 9)
        let error = #expect(throws: PreparationError.self) { try Self.run(pixels) }
        #expect(
            error?.description
                == "cannot denoise photograph.png: 7×9 pixels are too few to learn from, at least 8×8 are needed: "
                + "use --method amsnet")
    }

    @Test func noModelIsLookedFor() throws {
        var options = ImageOptions()
        options.method = .zsn2n
        let denoiser = try PhotographDenoiser(options: options, state: "/nonexistent")
        let recipe = denoiser.recipes.general
        #expect(denoiser.model == nil && recipe.modelName == "zsn2n")
        #expect(recipe.modelHash.count == 64 && recipe.modelHash.allSatisfy(\.isHexDigit))
        options.seed = 3
        let seeded = try PhotographDenoiser(options: options).recipes.general
        #expect(seeded.modelHash == recipe.modelHash && seeded.hash != recipe.hash)
    }

    @Test func aModelThatWouldNotBeUsedIsRefused() throws {
        var options = ImageOptions()
        options.method = .zsn2n
        options.model = "mine.safetensors"
        let error = #expect(throws: OptionsError.self) { try PhotographDenoiser(options: options) }
        #expect(error?.description == "--method zsn2n uses no model: leave out --model")
    }
}
