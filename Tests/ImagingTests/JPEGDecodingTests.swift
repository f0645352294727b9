import Imaging
import SystemPackage
import Testing

struct JPEGDecodingTests {
    @Test(arguments: [("rgb.jpg", 3), ("rgb-progressive.jpg", 3), ("grey.jpg", 1)])
    func gradientsComeBack(_ name: String, _ channels: Int) throws {
        let pixels = try ImageDecoder.decode(Fixtures.made(name)).pixels
        #expect(pixels.colourChannels == channels)
        #expect(pixels.width == 48 && pixels.height == 32)
        let plane = pixels.planar()
        guard channels == 3 else { return }
        for y in 0..<32 {
            for x in 0..<48 {
                // Quality 95, chroma halved in the progressive file: within 12 of 255 on a smooth gradient.
                #expect(abs(plane[0, y, x] * 255 - Float(5 * x)) < 12)
                #expect(abs(plane[1, y, x] * 255 - Float(7 * y)) < 12)
            }
        }
    }

    @Test func cmykIsRefusedClearly() {
        do {
            _ = try ImageDecoder.decode(Fixtures.made("cmyk.jpg"))
            Issue.record("CMYK was decoded")
        } catch {
            #expect(error.code == .unsupported)
            #expect(error.description.contains("CMYK"))
        }
    }

    @Test func largeProfilesAndCameraDataSurvive() throws {
        // Three APP2 segments; JPEG stores the profile as it is.
        let profile = (0..<150_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let metadata = Metadata(
            make: "Maker", model: "Model 1", lens: "Lens 50mm", iso: 3200, exposure: 1 / 250, aperture: 2.8,
            capturedAt: "2024-05-31T17:02:09", orientation: 6)
        let photograph = Fixtures.photograph(
            .uint8([UInt8](repeating: 90, count: 48)), width: 4, height: 4, colourChannels: 3, metadata: metadata,
            profile: profile)
        let folder = try TemporaryFolder()
        let again = try folder.roundTrip(photograph, .jpeg)
        #expect(again.iccProfile == profile)
        #expect(again.metadata == metadata)
        #expect(try folder.roundTrip(again, .jpeg).exif == again.exif)
    }

    @Test func everyTruncationIsAnError() throws {
        let bytes = try FileContents(Fixtures.made("rgb-progressive.jpg")).bytes
        for count in 0..<bytes.count {
            #expect(throws: ImagingError.self) {
                try ImageDecoder.decode(bytes: Array(bytes[..<count]), name: "cut")
            }
        }
    }
}
