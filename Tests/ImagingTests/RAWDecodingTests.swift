import Imaging
import SystemPackage
import Testing

struct RAWDecodingTests {
    @Test func mosaicsAreDevelopedUpright() throws {
        let photograph = try ImageDecoder.decode(Fixtures.made("mosaic.dng"))
        #expect(photograph.format == .raw)
        // 64×48, turned by 90 degrees clockwise: the bright first quadrant comes to the top right.
        #expect(photograph.pixels.width == 48 && photograph.pixels.height == 64)
        #expect(photograph.pixels.bitDepth == 16)
        #expect(photograph.metadata.orientation == 1)
        #expect(photograph.metadata.camera == "Maker Model 1")
        let image = photograph.pixels.planar()
        #expect(image[1, 10, 40] > image[1, 10, 10] + 0.2)
        #expect(image[1, 50, 40] < image[1, 10, 40] - 0.2)
    }

    @Test func developedGreyIsNeutral() throws {
        let image = try ImageDecoder.decode(Fixtures.made("mosaic.dng")).pixels.planar()
        // The camera's primaries are sRGB's up to four digits, so grey stays grey within 1/255.
        #expect(abs(image[0, 50, 10] - image[1, 50, 10]) < 1 / 255)
        #expect(abs(image[2, 50, 10] - image[1, 50, 10]) < 1 / 255)
    }

    @Test func developedImagesAreTagged() throws {
        let profile = try #require(try ImageDecoder.decode(Fixtures.made("mosaic.dng")).iccProfile)
        // ICC.1:2010, 7.2: the signature at byte 36, the fixed date at byte 24.
        #expect(Array(profile[36..<40]) == Array("acsp".utf8))
        #expect(Array(profile[24..<30]) == [0x07, 0xD0, 0, 1, 0, 1])
    }

    @Test func developingIsDeterministic() throws {
        let first = try ImageDecoder.decode(Fixtures.made("mosaic.dng"))
        let second = try ImageDecoder.decode(Fixtures.made("mosaic.dng"))
        #expect(first.pixels == second.pixels)
    }

    @Test func aThumbnailDoesNotPassForThePhotograph() {
        #expect(throws: ImagingError.self) { try ImageDecoder.decode(Fixtures.made("half-copied.nef")) }
    }

    /// A file may have its full size before its content: the samples lie at byte 8, 128 bytes a row.
    @Test(arguments: [0, 24, 45])
    func missingRowsAreNoPicture(_ copiedRows: Int) throws {
        var bytes = try FileContents(Fixtures.made("mosaic.dng")).bytes
        for index in 8 + 128 * copiedRows..<8 + 128 * 48 { bytes[index] = 0 }
        do {
            _ = try ImageDecoder.decode(bytes: bytes, name: "half-copied.dng")
            Issue.record("a picture without its lower rows was decoded")
        } catch {
            #expect(error.code == .malformed)
        }
    }

    /// 1024 × 768 bytes are what an industrial camera of LibRaw's list writes, without any signature.
    @Test func sizeAloneIsNoFormat() {
        let bytes = (0..<1024 * 768).map { UInt8(truncatingIfNeeded: $0 / 7) }
        do {
            _ = try ImageDecoder.decode(bytes: bytes, name: "noise.raw")
            Issue.record("bytes without a signature were decoded")
        } catch {
            #expect(error.code == .unsupported)
        }
    }
}
