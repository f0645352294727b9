import Denoising
import Foundation
import Imaging
import Networks
import SystemPackage
import Synchronization
import Tensors
import TestSupport
import Testing

@Suite struct PipelineFilesTests {
    static func photograph() -> Photograph { Photograph(pixels: Small.pixels(PixelKind.all[2]), format: .png) }

    @Test func anExistingFileIsNeverOverwritten() throws {
        try withTemporaryPath { folder in
            let (source, output) = (folder.appending("photo.png"), try Small.folder("out", in: folder))
            try Small.write(Self.photograph(), .png, to: source)
            let taken = output.appending("photo-denoised.png")
            try Data("mine".utf8).write(to: URL(filePath: taken.string))
            let denoiser = try Small.denoiser(try Small.model(in: folder))
            let first = try denoiser.denoise(source, into: output) { _ in }
            let second = try denoiser.denoise(source, into: output) { _ in }
            #expect(try Small.bytes(taken) == Data("mine".utf8))
            #expect(first.output == output.appending("photo-denoised-2.png").string)
            #expect(second.output == output.appending("photo-denoised-3.png").string)
            #expect(try Small.bytes(FilePath(first.output)) == Small.bytes(FilePath(second.output)))
            #expect(
                try Small.names(in: output) == ["photo-denoised-2.png", "photo-denoised-3.png", "photo-denoised.png"])
        }
    }

    @Test func sixteenBitsOfAnEightBitPhotographHoldWhatLiesBetweenItsLevels() throws {
        try withTemporaryPath { folder in
            let source = folder.appending("photo.png")
            try Small.write(
                Photograph(pixels: Small.pixels(PixelKind(depth: 8, colourChannels: 3)), format: .png), .png, to: source
            )
            let denoiser = try Small.denoiser(try Small.model(in: folder)) { $0.bitDepth = 16 }
            let output = FilePath(try denoiser.denoise(source, into: folder) { _ in }.output)
            let samples = try ImageDecoder.decode(output).pixels.allSamples
            // Levels of 8 bits are the multiples of 257.
            #expect(samples.contains { $0.truncatingRemainder(dividingBy: 257) != 0 })
        }
    }

    @Test func theReportNamesWhatWasReadAndWritten() throws {
        try withTemporaryPath { folder in
            let source = folder.appending("photo.png")
            try Small.write(Self.photograph(), .png, to: source)
            let model = try Small.model(in: folder)
            let denoiser = try Small.denoiser(model) { ($0.tile, $0.overlap) = (64, 16) }
            let fractions = Mutex<[Double]>([])
            let report = try denoiser.denoise(source, into: folder) { done in fractions.withLock { $0.append(done) } }
            #expect(report.sourceHash == (try Self.digest(source)))
            #expect(report.outputHash == (try Self.digest(FilePath(report.output))))
            #expect(report.recipe.modelHash == model.hash && report.recipe.modelName == "small")
            #expect(fractions.withLock { $0.last } == 1)
            #expect(fractions.withLock { $0 } == fractions.withLock { $0.sorted() })
            for name in ["noise_before", "noise_after", "colour_drift", "seconds", "megapixels"] {
                #expect(report.metrics[name] != nil || name.hasPrefix("noise"), "\(name)")
            }
        }
    }

    @Test func theRecipeChangesWithEverythingButThreadsAndTheModelsName() throws {
        try withTemporaryPath { folder in
            let model = try Small.model(in: folder)
            let recipe = try Small.denoiser(model).recipes.general.hash
            #expect(try Small.denoiser(model) { $0.threads = 7 }.recipes.general.hash == recipe)
            #expect(try Small.denoiser(model) { $0.model = "small" }.recipes.general.hash == recipe)
            #expect(try Small.denoiser(model) { $0.strength = 0.5 }.recipes.general.hash != recipe)
            #expect(try Small.denoiser(model) { $0.seed = 5 }.recipes.general.hash != recipe)
            try Model.write(
                Weights(initialising: Small.network, seed: 9), of: Small.network, metadata: [:],
                to: folder.appending("small.safetensors"))
            let other = try Model(contentsOf: folder.appending("small.safetensors"))
            #expect(try Small.denoiser(other).recipes.general.hash != recipe)
        }
    }

    private static func digest(_ path: FilePath) throws -> String {
        // The system's own tool is the oracle.
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/sha256sum")
        process.arguments = [path.string]
        process.standardOutput = pipe
        try process.run()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return String(text.prefix(64))
    }
}
