import Imaging
import SystemPackage
import Testing

struct TIFFDecodingTests {
    private func pixels(_ name: String) throws -> PixelBuffer {
        try ImageDecoder.decode(Fixtures.made(name)).pixels
    }

    @Test(arguments: ["grey8.tif", "grey8-0-is-white.tif"])
    func greyIsBlackAtZero(_ name: String) throws {
        #expect(try pixels(name).samples == .uint8(Fixtures.samples(channels: 1) { UInt8($0 >> 8) }))
    }

    @Test(arguments: ["rgb8-tiled.tif", "rgb8-bigtiff-deflate.tif"])
    func layoutOfTheFileDoesNotMatter(_ name: String) throws {
        #expect(try pixels(name).samples == .uint8(Fixtures.samples(channels: 3) { UInt8($0 >> 8) }))
    }

    @Test(arguments: ["rgb16-little.tif", "rgb16-big.tif"])
    func byteOrderDoesNotMatter(_ name: String) throws {
        #expect(try pixels(name).samples == .uint16(Fixtures.samples(channels: 3) { UInt16($0) }))
    }

    @Test func separatePlanesAreInterleavedAndAlphaKeepsItsKind() throws {
        let pixels = try pixels("rgba16-planar-camera.tif")
        #expect(pixels.samples == .uint16(Fixtures.samples(channels: 4) { UInt16($0) }))
        #expect(pixels.extraChannels == [.premultipliedAlpha])
    }

    @Test func cameraDataAreRead() throws {
        let photograph = try ImageDecoder.decode(Fixtures.made("rgba16-planar-camera.tif"))
        let expected = Metadata(
            make: "Maker", model: "Model 1", lens: "Lens 50mm", iso: 1600, exposure: 0.004, aperture: 2.8,
            capturedAt: "2024-05-31T17:02:09", orientation: 6)
        #expect(photograph.metadata == expected)
        #expect(photograph.iccProfile == (0..<200).map { UInt8($0) })
    }

    @Test func twelveBitsAreScaledToSixteen() throws {
        let expected: [UInt16] = Fixtures.samples(channels: 1) { UInt16((($0 >> 4) * 65_535 + 2047) / 4095) }
        let photograph = try ImageDecoder.decode(Fixtures.made("grey12-packed.tif"))
        #expect(photograph.pixels.samples == .uint16(expected))
        #expect(photograph.sourceBitDepth == 12)
    }

    @Test func palettesBecomeRGB() throws {
        let expected: [UInt8] = (0..<Fixtures.height * Fixtures.width).flatMap { index -> [UInt8] in
            let entry = Fixtures.sample16(index / Fixtures.width, index % Fixtures.width, 0) >> 8
            return [3, 5, 7].map { UInt8(entry * $0 % 256) }
        }
        #expect(try pixels("palette8.tif").samples == .uint8(expected))
    }

    @Test func floatsKeepTheirValuesAndTheirRange() throws {
        let pixels = try pixels("grey-float.tif")
        let expected: [Float] = Fixtures.samples(channels: 1) { Float(Double($0) / 65_535 * 8 - 1) }
        #expect(pixels.samples == .float32(expected))
        #expect(pixels.floatRange.lowerBound == -1)
        #expect(pixels.floatRange.upperBound == expected.max())
    }

    @Test func cmykIsConverted() throws {
        // No ink at all is white.
        #expect(try pixels("cmyk8.tif").samples == .uint8(Fixtures.samples(channels: 3) { _ in 255 }))
    }

    @Test(arguments: ["int16-signed.tif", "grey-float-nan.tif"])
    func whatIsNotSupportedSaysSo(_ name: String) {
        #expect(throws: ImagingError.self) { try ImageDecoder.decode(Fixtures.made(name)) }
        do {
            _ = try ImageDecoder.decode(Fixtures.made(name))
        } catch {
            #expect(error.code == .unsupported)
            #expect(error.description.hasPrefix("cannot decode "))
            #expect(!error.description.contains("\n"))
        }
    }
}
