import Denoising
import Foundation
import Imaging
import SystemPackage
import Tensors
import TestSupport
import Testing

@Suite struct PipelinePhotographTests {
    /// A profile of one private tag: opaque to the pipeline, but with the header of a profile (ICC.1:2010, 7.2), which
    /// libpng checks.
    static func profile(grey: Bool) -> [UInt8] {
        var random = RandomSource(seed: 5)
        var bytes = [UInt8](repeating: 0, count: 144) + (0..<512).map { _ in UInt8(random.index(below: 256)) }
        func put(_ text: String, at offset: Int) { bytes.replaceSubrange(offset..<offset + 4, with: Array(text.utf8)) }
        func put(_ number: UInt32, at offset: Int) {
            for byte in 0..<4 { bytes[offset + byte] = UInt8(truncatingIfNeeded: number >> (24 - 8 * UInt32(byte))) }
        }
        put(UInt32(bytes.count), at: 0)
        put(0x0210_0000, at: 8)
        put("mntr", at: 12)
        put(grey ? "GRAY" : "RGB ", at: 16)
        put("XYZ ", at: 20)
        put("acsp", at: 36)
        // The illuminant D50, then the table of tags.
        for (index, number) in [0xF6D6, 0x10000, 0xD32D].enumerated() { put(UInt32(number), at: 68 + 4 * index) }
        put(1, at: 128)
        put("priv", at: 132)
        put(144, at: 136)
        put(512, at: 140)
        return bytes
    }

    /// Runs a photograph through the pipeline and reads the result.
    static func run(
        _ photograph: Photograph, _ format: ImageEncoder.Format, in folder: FilePath,
        _ change: (inout ImageOptions) -> Void = { _ in }
    ) throws -> (report: DenoisingReport, output: Photograph) {
        let source = folder.appending("photo.\(format.fileExtension)")
        try? FileManager.default.removeItem(atPath: source.string)
        try Small.write(photograph, format, to: source)
        let before = try Small.bytes(source)
        let denoiser = try Small.denoiser(try Small.model(in: folder), change)
        let report = try denoiser.denoise(source, into: folder) { _ in }
        #expect(try Small.bytes(source) == before)
        return (report, try ImageDecoder.decode(FilePath(report.output)))
    }

    @Test(arguments: PixelKind.all, [ImageEncoder.Format.png, .tiff])
    func sizeDepthChannelsAndProfileAreKept(kind: PixelKind, format: ImageEncoder.Format) throws {
        try withTemporaryPath { folder in
            let pixels = Small.pixels(kind)
            let profile = Self.profile(grey: kind.colourChannels == 1)
            let photograph = Photograph(
                pixels: pixels, iccProfile: profile, format: format == .png ? .png : .tiff)
            let (report, output) = try Self.run(photograph, format, in: folder)
            #expect(output.pixels.width == 37 && output.pixels.height == 29)
            #expect(report.width == 37 && report.height == 29 && report.passes == 2)
            #expect(output.pixels.bitDepth == kind.depth)
            #expect(output.pixels.colourChannels == kind.colourChannels)
            #expect(output.pixels.extraChannels == kind.extraChannels)
            #expect(output.iccProfile == profile)
            #expect(output.format == photograph.format)
            #expect(output.pixels.plane(0) != pixels.plane(0))
            for channel in kind.colourChannels..<pixels.channels {
                #expect(output.pixels.plane(channel) == pixels.plane(channel))
            }
        }
    }

    @Test(arguments: [ImageOptions().preset, .balanced]) func anyNumberOfThreadsGivesTheSameBytes(preset: Preset) throws
    {
        try withTemporaryPath { folder in
            let photograph = Photograph(pixels: Small.pixels(PixelKind.all[2], width: 150, height: 90), format: .png)
            let hashes = try [1, 2, 3].map { threads in
                try Self.run(photograph, .png, in: folder) {
                    $0.preset = preset
                    $0.threads = threads
                    ($0.tile, $0.overlap) = (64, 16)
                }.report.outputHash
            }
            #expect(hashes[0] == hashes[1] && hashes[0] == hashes[2])
        }
    }

    /// The network's share is taken away again: a rounding of the sum, far below half a level.
    @Test(arguments: PixelKind.all) func strengthZeroReturnsTheInput(kind: PixelKind) throws {
        try withTemporaryPath { folder in
            let pixels = Small.pixels(kind, width: 100, height: 70)
            let (_, output) = try Self.run(Photograph(pixels: pixels, format: .tiff), .tiff, in: folder) {
                $0.strength = 0
                ($0.tile, $0.overlap) = (64, 16)
            }
            #expect(output.pixels == pixels)
        }
    }

    @Test func strengthIsTheShareOfTheDenoisedImage() throws {
        try withTemporaryPath { folder in
            let photograph = Photograph(pixels: Small.pixels(PixelKind(depth: 16, colourChannels: 3)), format: .tiff)
            let planes = try [0, 0.5, 1].map { strength in
                try Self.run(photograph, .tiff, in: folder) { $0.strength = strength }.output.pixels.allSamples
            }
            // Clamping at the ends and three roundings of half a level.
            let errors = planes[1].indices.filter { planes[2][$0] > 0 && planes[2][$0] < 65_535 }.map {
                abs(planes[1][$0] - 0.5 * (planes[0][$0] + planes[2][$0]))
            }
            #expect(errors.max() ?? 9 <= 1.5)
        }
    }

    /// Tiles differ where the network's means and borders differ; the whole must not show it (1/255 of full scale).
    @Test func tilesLookLikeTheWhole() throws {
        try withTemporaryPath { folder in
            let photograph = Photograph(
                pixels: Small.pixels(PixelKind(depth: 16, colourChannels: 3), width: 200, height: 130), format: .tiff)
            let whole = try Self.run(photograph, .tiff, in: folder)
            let tiled = try Self.run(photograph, .tiff, in: folder) { ($0.tile, $0.overlap) = (80, 24) }
            #expect(whole.report.tilePlan.hasPrefix("1x1 of ") && tiled.report.tilePlan.hasPrefix("4x2 of "))
            let squares = zip(whole.output.pixels.allSamples, tiled.output.pixels.allSamples).map { pair in
                Double((pair.0 - pair.1) * (pair.0 - pair.1)) / (65_535 * 65_535)
            }
            let rms = (squares.reduce(0, +) / Double(squares.count)).squareRoot()
            #expect(rms < 1 / 255.0, "\(rms * 255)/255")
        }
    }

    @Test(arguments: [(1, 1), (2, 3), (1, 70), (65, 1)]) func smallPhotographsAreDenoised(width: Int, height: Int)
        throws
    {
        try withTemporaryPath { folder in
            let pixels = Small.pixels(PixelKind.all[2], width: width, height: height)
            let (report, output) = try Self.run(Photograph(pixels: pixels, format: .png), .png, in: folder)
            #expect(output.pixels.width == width && output.pixels.height == height)
            #expect(report.metrics.values.allSatisfy { $0.isFinite })
        }
    }

    /// Grey is the mean of what the network makes of three equal channels: four roundings of half a level.
    @Test func greyIsDenoisedAsTheSamePhotographInColour() throws {
        try withTemporaryPath { folder in
            let grey = Small.pixels(PixelKind(depth: 16, colourChannels: 1))
            guard case .uint16(let samples) = grey.samples else { return }
            let colour = PixelBuffer(
                width: grey.width, height: grey.height, colourChannels: 3,
                samples: .uint16(samples.flatMap { [$0, $0, $0] }))
            // A network that was never trained leaves [0, 1] often, and clamped values do not average: a third of it.
            let outputs = try [grey, colour].map { pixels in
                try Self.run(Photograph(pixels: pixels, format: .tiff), .tiff, in: folder) {
                    ($0.seed, $0.strength) = (3, 0.3)
                }.output.pixels
            }
            let (denoised, channels) = (outputs[0].plane(0), (0..<3).map { outputs[1].plane($0) })
            let inside = denoised.indices.filter { index in channels.allSatisfy { (1..<65_535).contains($0[index]) } }
            let errors = inside.map { index in
                abs(denoised[index] - (channels[0][index] + channels[1][index] + channels[2][index]) / 3)
            }
            #expect(errors.count > 500)
            #expect(errors.max() ?? 9 <= 2)
        }
    }

    @Test func theMethodAndTheSeedChangeTheResult() throws {
        try withTemporaryPath { folder in
            let photograph = Photograph(pixels: Small.pixels(PixelKind.all[2]), format: .png)
            let own = try Self.run(photograph, .png, in: folder).report
            let again = try Self.run(photograph, .png, in: folder).report
            let seeded = try Self.run(photograph, .png, in: folder) { $0.seed = 1 }.report
            let plain = try Self.run(photograph, .png, in: folder) { $0.method = .plain }.report
            #expect(own.outputHash == again.outputHash)
            #expect(Set([own, seeded, plain].map(\.outputHash)).count == 3)
            #expect(plain.passes == 1)
        }
    }
}
