import Imaging
import SystemPackage
import Testing

struct RoundTripTests {
    static let camera = Metadata(
        make: "Maker", model: "Model 1", lens: "Lens 50mm", iso: 640, exposure: 1 / 125, aperture: 5.6,
        capturedAt: "2023-01-02T03:04:05", orientation: 3,
        location: Location(latitude: -33.856_784, longitude: 151.215_297, altitude: -4.5))

    /// Colour channels and extra channels.
    static let layouts: [(Int, [ExtraChannel])] = [(1, []), (3, []), (1, [.alpha]), (3, [.alpha])]

    private func noise16(_ count: Int) -> [UInt16] {
        (0..<count).map { UInt16(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 7) }
    }

    private func expectCamera(_ metadata: Metadata) {
        // libtiff stores rationals with the precision of a float.
        #expect(abs((metadata.exposure ?? 0) * 125 - 1) < 1e-6)
        #expect(abs((metadata.aperture ?? 0) / 5.6 - 1) < 1e-6)
        // A millimetre.
        #expect(abs((metadata.location?.latitude ?? 0) - (Self.camera.location?.latitude ?? 1)) < 1e-8)
        #expect(abs((metadata.location?.longitude ?? 0) - (Self.camera.location?.longitude ?? 1)) < 1e-8)
        #expect(abs((metadata.location?.altitude ?? 0) + 4.5) < 1e-3)
        var rest = metadata
        rest.location = Self.camera.location
        rest.exposure = Self.camera.exposure
        rest.aperture = Self.camera.aperture
        #expect(rest == Self.camera)
    }

    @Test(arguments: layouts, [ImageEncoder.Format.tiff, .png])
    func integersAreLossless(_ layout: (Int, [ExtraChannel]), _ format: ImageEncoder.Format) throws {
        let folder = try TemporaryFolder()
        let count = 37 * 23 * (layout.0 + layout.1.count)
        let wide = noise16(count)
        for samples in [PixelBuffer.Samples.uint16(wide), .uint8(wide.map { UInt8($0 >> 8) })] {
            let photograph = Fixtures.photograph(
                samples, width: 37, height: 23, colourChannels: layout.0, extra: layout.1, metadata: Self.camera)
            let again = try folder.roundTrip(photograph, format)
            #expect(again.pixels == photograph.pixels)
            expectCamera(again.metadata)
        }
    }

    @Test func floatTIFFsAreLossless() throws {
        let folder = try TemporaryFolder()
        let values = noise16(37 * 23 * 3).map { Float($0) / 9999 - 1 }
        let photograph = Fixtures.photograph(.float32(values), width: 37, height: 23, colourChannels: 3)
        #expect(try folder.roundTrip(photograph, .tiff).pixels == photograph.pixels)
    }

    @Test func tiffKeepsChannelsOfEveryKind() throws {
        let folder = try TemporaryFolder()
        let photograph = Fixtures.photograph(
            .uint16(noise16(6 * 4 * 5)), width: 6, height: 4, colourChannels: 3,
            extra: [.premultipliedAlpha, .unspecified])
        #expect(try folder.roundTrip(photograph, .tiff).pixels == photograph.pixels)
    }

    @Test(arguments: [ImageEncoder.Format.tiff, .png, .jpeg])
    func whatPeopleWroteSurvives(_ format: ImageEncoder.Format) throws {
        let folder = try TemporaryFolder()
        let packet = Array("<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta>Größe ★★★★★</x:xmpmeta>".utf8)
        var photograph = Fixtures.photograph(
            .uint8([UInt8](repeating: 90, count: 48)), width: 4, height: 4, colourChannels: 3, metadata: Self.camera)
        photograph.xmp = packet
        let again = try folder.roundTrip(photograph, format)
        #expect(again.xmp == packet)
        #expect(again.metadata.orientation == Self.camera.orientation)
        #expect(try folder.roundTrip(again, format).xmp == packet)
    }

    @Test(arguments: [ImageEncoder.Format.tiff, .png, .jpeg])
    func theProfileSurvives(_ format: ImageEncoder.Format) throws {
        let folder = try TemporaryFolder()
        let developed = try ImageDecoder.decode(Fixtures.made("mosaic.dng"))
        #expect(try folder.roundTrip(developed, format).iccProfile == developed.iccProfile)
    }

    @Test func depthIsChangedOnRequest() throws {
        let folder = try TemporaryFolder()
        let wide = noise16(256)
        let photograph = Fixtures.photograph(.uint16(wide), width: 16, height: 16, colourChannels: 1)
        for format in [ImageEncoder.Format.tiff, .png] {
            let narrow = try folder.roundTrip(photograph, format, bitDepth: 8)
            #expect(narrow.pixels.samples == .uint8(wide.map { UInt8((Double($0) / 257).rounded()) }))
            let back = try folder.roundTrip(narrow, format, bitDepth: 16)
            guard case .uint8(let values) = narrow.pixels.samples else { continue }
            #expect(back.pixels.samples == .uint16(values.map { UInt16($0) * 257 }))
        }
    }

    @Test func pngGetsColourWithoutItsAlpha() throws {
        let folder = try TemporaryFolder()
        let photograph = Fixtures.photograph(
            .uint8([100, 200, 0, 0]), width: 2, height: 1, colourChannels: 1, extra: [.premultipliedAlpha])
        let again = try folder.roundTrip(photograph, .png)
        // 100 · 255 / 200 = 127.5; nothing is left of a transparent pixel's colour.
        #expect(again.pixels.samples == .uint8([128, 200, 0, 0]))
    }

    @Test func jpegIsLaidOverWhite() throws {
        let folder = try TemporaryFolder()
        let photograph = Fixtures.photograph(
            .uint8([UInt8](repeating: 0, count: 512)), width: 16, height: 16, colourChannels: 1, extra: [.alpha])
        let again = try folder.roundTrip(photograph, .jpeg)
        #expect(again.pixels.samples == .uint8([UInt8](repeating: 255, count: 256)))
    }

    @Test(arguments: ImageEncoder.Format.allCases)
    func equalPhotographsGiveEqualBytes(_ format: ImageEncoder.Format) throws {
        let folder = try TemporaryFolder()
        let photograph = try ImageDecoder.decode(Fixtures.made("mosaic.dng"))
        var files: [[UInt8]] = []
        for name in ["a", "b"] {
            let staged = try StagedFile(folder.path.appending(name))
            try ImageEncoder.encode(photograph, format: format, to: staged)
            files.append(try FileContents(staged.finish()).bytes)
        }
        #expect(files[0] == files[1])
    }

    @Test func anUncompressedTIFFHoldsTheSameSamples() throws {
        let folder = try TemporaryFolder()
        let photograph = try ImageDecoder.decode(Fixtures.made("rgb16-little.tif"))
        var sizes: [Int] = []
        for compresses in [true, false] {
            let staged = try StagedFile(folder.path.appending("\(compresses).tif"))
            try ImageEncoder.encode(photograph, format: .tiff, compressesTIFF: compresses, to: staged)
            let contents = try FileContents(staged.finish())
            #expect(try ImageDecoder.decode(contents).pixels.samples == photograph.pixels.samples)
            sizes.append(contents.bytes.count)
        }
        let samples = photograph.pixels.width * photograph.pixels.height * photograph.pixels.channels * 2
        #expect(sizes[0] < sizes[1] && sizes[1] >= samples)
    }

    @Test func formatsFollowTheSource() {
        #expect(ImageEncoder.Format(keeping: .raw) == .tiff)
        #expect(ImageEncoder.Format(keeping: .png) == .png)
        #expect(ImageEncoder.Format(keeping: .jpeg) == .jpeg)
        #expect(ImageEncoder.Format(keeping: .tiff) == .tiff)
    }
}
