import Imaging
import SystemPackage
import Testing

struct PNGDecodingTests {
    static let suite = Fixtures.images.appending("pngsuite")
    static let names = Fixtures.names(in: suite).filter { $0.hasSuffix(".png") }

    @Test func suiteIsComplete() {
        #expect(Self.names.count == 175)
    }

    @Test(arguments: names.filter { $0.hasPrefix("x") })
    func damagedFilesFail(_ name: String) {
        #expect(throws: ImagingError.self) { try ImageDecoder.decode(Self.suite.appending(name)) }
    }

    /// The names say it all: …[n|i][colour type][c|g|a|p][bit depth].png
    @Test(arguments: names.filter { !$0.hasPrefix("x") && $0 != "PngSuite.png" })
    func depthAndChannelsFollowTheHeader(_ name: String) throws {
        let photograph = try ImageDecoder.decode(Self.suite.appending(name))
        let code = Array(name.dropLast(4).suffix(4))
        let bits = try #require(Int(String(code[2...])))
        #expect(photograph.sourceBitDepth == bits)
        #expect(photograph.pixels.bitDepth == (bits == 16 ? 16 : 8))
        let hasColour = code[0] == "2" || code[0] == "3" || code[0] == "6"
        #expect(photograph.pixels.colourChannels == (hasColour ? 3 : 1))
        let hasAlphaChannel = code[0] == "4" || code[0] == "6"
        // Names with "t" carry a transparent colour, which becomes alpha.
        let isTransparent = name.hasPrefix("tb") || name.hasPrefix("tm") || name.hasPrefix("tp1")
        #expect(photograph.pixels.extraChannels == (hasAlphaChannel || isTransparent ? [.alpha] : []))
    }

    @Test(arguments: ["basi2c16", "basi0g04", "basi3p08", "basi6a16"])
    func interlacingDoesNotChangePixels(_ name: String) throws {
        let plain = name.replacing("basi", with: "basn")
        let interlaced = try ImageDecoder.decode(Self.suite.appending("\(name).png"))
        #expect(interlaced.pixels == (try ImageDecoder.decode(Self.suite.appending("\(plain).png")).pixels))
    }

    @Test func gammaIsKeptAndNotApplied() throws {
        let photograph = try ImageDecoder.decode(Self.suite.appending("g25n2c08.png"))
        #expect(photograph.colorimetry?.gamma == 250_000)
        let folder = try TemporaryFolder()
        let again = try folder.roundTrip(photograph, .png)
        #expect(again.colorimetry == photograph.colorimetry)
        #expect(again.pixels == photograph.pixels)
    }

    @Test func exifIsReadAndCarriedOver() throws {
        // The suite's exif2c08.png is younger than this copy, so the block comes from a photograph of our own.
        let metadata = Metadata(make: "Maker", model: "Model 1", iso: 400, exposure: 1 / 60, orientation: 8)
        let photograph = Fixtures.photograph(
            .uint8([1, 2, 3, 4]), width: 2, height: 2, colourChannels: 1, metadata: metadata)
        let folder = try TemporaryFolder()
        let again = try folder.roundTrip(photograph, .png)
        #expect(again.exif != nil)
        #expect(again.metadata.camera == "Maker Model 1")
        #expect(again.metadata.orientation == 8)
        #expect(try folder.roundTrip(again, .png).exif == again.exif)
        let bytes = try FileContents(folder.path.appending("trip.png")).bytes
        let chunks = bytes.indices.dropLast(3).count { Array(bytes[$0..<$0 + 4]) == Array("eXIf".utf8) }
        #expect(chunks == 1)
    }

    @Test func fourBitGreyBecomesMultiplesOf17() throws {
        guard case .uint8(let values) = try ImageDecoder.decode(Self.suite.appending("basn0g04.png")).pixels.samples
        else {
            Issue.record("4 bits become 8")
            return
        }
        #expect(values.allSatisfy { $0 % 17 == 0 })
        #expect(values.contains(0) && values.contains(238))
    }
}
