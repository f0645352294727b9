import Foundation
@testable import Denoising
import Imaging
import SystemPackage
import Tensors
import TestSupport
import Testing

@Suite struct NoiseAssessmentTests {
    /// A slope with Gaussian noise, blurred across and down by so many box filters of two pixels.
    static func image(deviation: Float, blurs: Int = 0, side: Int = 192) -> PlanarImage {
        var random = RandomSource(seed: 8)
        var image = PlanarImage(width: side, height: side, channels: 3)
        for channel in 0..<3 {
            var noise = (0..<side * side).map { _ in random.normal() }
            for _ in 0..<blurs {
                noise = noise.indices.map { index in
                    let right = index % side + 1 < side ? index + 1 : index
                    return (noise[index] + noise[right]) / 2
                }
                noise = noise.indices.map { index in
                    (noise[index] + noise[index + side < noise.count ? index + side : index]) / 2
                }
            }
            for index in noise.indices {
                image.samples[channel * side * side + index] =
                    0.4 + 0.2 * Float(index % side) / Float(side) + deviation / 255 * noise[index]
            }
        }
        return image
    }

    @Test(arguments: [(0, 1), (1, 2), (3, 2)])
    func correlatedNoiseIsDownsampled(blurs: Int, stride: Int) {
        let noise = NoiseAssessment(of: Self.image(deviation: 6, blurs: blurs))
        #expect(noise.stride == stride)
        #expect(!noise.needsNothing)
        #expect(noise.metrics.count == 8)
    }

    @Test(arguments: [(0, true), (0.1, true), (0.5, false), (3, false)] as [(Float, Bool)])
    func noiseThatIsNotSeenNeedsNothing(deviation: Float, needsNothing: Bool) {
        #expect(NoiseAssessment(of: Self.image(deviation: deviation)).needsNothing == needsNothing)
    }

    /// One noisy channel is enough.
    @Test func noiseOfOneChannelCounts() {
        var image = Self.image(deviation: 0.05)
        let noisy = Self.image(deviation: 3)
        let plane = image.width * image.height
        image.samples.replaceSubrange(2 * plane..<3 * plane, with: noisy.samples[2 * plane..<3 * plane])
        #expect(!NoiseAssessment(of: image).needsNothing)
    }

    /// Without conversion the output is the input byte for byte, even a JPEG.
    @Test(arguments: ImageEncoder.Format.allCases, [nil, OutputFormat.png])
    func aPhotographThatNeedsNothingIsCopied(format: ImageEncoder.Format, output: OutputFormat?) throws {
        try withTemporaryPath { folder in
            let samples = (0..<96 * 64).flatMap { index in [UInt8](repeating: UInt8(60 + index % 96), count: 3) }
            let pixels = PixelBuffer(width: 96, height: 64, colourChannels: 3, samples: .uint8(samples))
            let source = folder.appending("clean.\(format.fileExtension)")
            let kind: ImageFormat = format == .png ? .png : format == .tiff ? .tiff : .jpeg
            try Small.write(Photograph(pixels: pixels, format: kind), format, to: source)
            let denoiser = try Small.denoiser(try Small.model(in: folder)) { $0.format = output ?? .same }
            let report = try denoiser.denoise(source, into: folder) { _ in }
            #expect(report.passes == 0 && report.tilePlan == "none")
            let word = output == nil || format == .png ? "copied" : "converted"
            #expect(report.remark == "it needs nothing: no measurable noise (0.0 of 255), so it was only \(word)")
            let decoded = try ImageDecoder.decode(FilePath(report.output)).pixels
            #expect(try decoded == ImageDecoder.decode(source).pixels)
            if output == nil { #expect(try Small.bytes(FilePath(report.output)) == Small.bytes(source)) }
        }
    }

    @Test func aPhotographThatNeedsNothingIsLeftOutWhereNoCopyIsWanted() throws {
        try withTemporaryPath { folder in
            let samples = (0..<96 * 64).flatMap { index in [UInt8](repeating: UInt8(60 + index % 96), count: 3) }
            let pixels = PixelBuffer(width: 96, height: 64, colourChannels: 3, samples: .uint8(samples))
            let (clean, noisy) = (folder.appending("clean.png"), folder.appending("noisy.png"))
            try Small.write(Photograph(pixels: pixels, format: .png), .png, to: clean)
            try Small.write(Photograph(pixels: Small.pixels(PixelKind.all[2]), format: .png), .png, to: noisy)
            let output = try Small.folder("out", in: folder)
            let denoiser = try Small.denoiser(try Small.model(in: folder)) { $0.onClean = .skip }
            let finding = #expect(throws: NothingToDenoise.self) { try denoiser.denoise(clean, into: output) { _ in } }
            #expect(finding?.description.contains("it needs nothing: no measurable noise") == true)
            #expect(try Small.names(in: output).isEmpty)
            #expect(try denoiser.denoise(noisy, into: output) { _ in }.remark == nil)
            // Recipes of versions without the option stay what they were.
            #expect(!String(decoding: try JSONEncoder().encode(ImageOptions()), as: UTF8.self).contains("onClean"))
        }
    }

    @Test(arguments: [(Preset.fast, 1), (.balanced, 2), (.best, 18)])
    func presetsRunTheirPassesOfAModelThatWasTaughtPlain(preset: Preset, passes: Int) throws {
        try withTemporaryPath { folder in
            let photograph = Photograph(pixels: Small.pixels(PixelKind.all[2]), format: .png)
            let source = folder.appending("photo.png")
            try Small.write(photograph, .png, to: source)
            func run(_ metadata: [String: String]) throws -> Int {
                let model = try Small.model(in: folder, metadata)
                return try Small.denoiser(model) { $0.preset = preset }.denoise(source, into: folder) { _ in }.passes
            }
            #expect(try run(["plain_stride": "1"]) == passes)
            #expect(try run([:]) == max(passes, 2))
        }
    }
}
