import Glibc
import Imaging
import SystemPackage
import Testing

struct DamageTests {
    /// Formats whose every truncation must be noticed; trailing EXIF or palette bytes make TIFF forgiving.
    @Test(arguments: ["pngsuite/basi6a16.png", "pngsuite/tbbn3p08.png", "pngsuite/basn0g01.png"])
    func everyTruncatedPNGIsAnError(_ name: String) throws {
        let bytes = try FileContents(Fixtures.images.appending(name)).bytes
        for count in 0..<bytes.count {
            #expect(throws: ImagingError.self) {
                try ImageDecoder.decode(bytes: Array(bytes[..<count]), name: "cut")
            }
        }
    }

    @Test(arguments: Fixtures.names(in: Fixtures.images.appending("made")).filter { $0.hasSuffix(".tif") })
    func truncatedTIFFsEndInAnImageOrAnError(_ name: String) throws {
        let bytes = try FileContents(Fixtures.made(name)).bytes
        for count in stride(from: 0, to: bytes.count, by: 7) {
            if let photograph = try? ImageDecoder.decode(bytes: Array(bytes[..<count]), name: "cut") {
                #expect(photograph.pixels.width == Fixtures.width)
            }
        }
    }

    @Test(arguments: ["grey8.tif", "grey-float.tif", "rgb8-bigtiff-deflate.tif", "rgba16-planar-camera.tif", "rgb.jpg"])
    func flippedBytesEndInAnImageOrAnError(_ name: String) throws {
        let bytes = try FileContents(Fixtures.made(name)).bytes
        var limits = DecodingLimits()
        limits.megapixels = 1
        limits.sampleBytes = 1 << 24
        var state: UInt64 = 1
        for _ in 0..<400 {
            var damaged = bytes
            for _ in 0..<3 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                damaged[Int(state >> 33) % damaged.count] = UInt8(truncatingIfNeeded: state >> 20)
            }
            _ = try? ImageDecoder.decode(bytes: damaged, name: name, limits: limits)
        }
    }

    @Test func oversizeHeadersFailBeforeMemoryIsTaken() throws {
        var bytes = try FileContents(Fixtures.images.appending("pngsuite/basn2c16.png")).bytes
        // A header of 40,000 × 40,000 pixels with its checksum.
        bytes.replaceSubrange(16..<24, with: [0, 0, 0x9C, 0x40, 0, 0, 0x9C, 0x40])
        bytes.replaceSubrange(29..<33, with: Self.checksum(bytes[12..<29]))
        do {
            _ = try ImageDecoder.decode(bytes: bytes, name: "bomb.png")
            Issue.record("a bomb was decoded")
        } catch {
            #expect(error.code == .limitExceeded)
            #expect(error.cause == "1600 MP exceeds the limit of 300 MP (limits.megapixels)")
        }
    }

    @Test func limitsApplyToEveryFormat() {
        let limits = DecodingLimits(megapixels: 0.0001)
        for name in ["rgb16-big.tif", "rgb.jpg", "mosaic.dng"] {
            #expect(throws: ImagingError.self) { try ImageDecoder.decode(Fixtures.made(name), limits: limits) }
        }
        let narrow = DecodingLimits(side: 20)
        #expect(throws: ImagingError.self) { try ImageDecoder.decode(Fixtures.made("grey8.tif"), limits: narrow) }
    }

    @Test func onlyRegularFilesAreRead() throws {
        let folder = try TemporaryFolder()
        let target = try folder.file("photo.tif", [1, 2, 3])
        let link = folder.path.appending("link.tif")
        let pipe = folder.path.appending("pipe.tif")
        #expect(symlink(target.string, link.string) == 0)
        #expect(mkfifo(pipe.string, 0o600) == 0)
        for path in [link, pipe, folder.path, "/dev/null"] {
            do {
                _ = try FileContents(path)
                Issue.record("\(path) was read")
            } catch {
                #expect(error.code == .notARegularFile)
            }
        }
    }

    @Test func namesStayOnOneLine() {
        let error = ImagingError(
            .malformed, .decode, file: ImagingError.display("a\nb.tif"), cause: "cause", remedy: "remedy")
        #expect(error.description == "cannot decode a\\u{a}b.tif: cause; remedy")
    }

    /// CRC-32 of PNG, big-endian.
    private static func checksum(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var crc: UInt32 = .max
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
        }
        return (0..<4).map { UInt8(truncatingIfNeeded: ~crc >> (24 - 8 * $0)) }
    }
}
