import Glibc
import Imaging
import SystemPackage
import Testing

/// Larger collections that are not part of the repository: DENOISED_TEST_DATA names their folder.
struct CorpusTests {
    static let folder = getenv("DENOISED_TEST_DATA").map { FilePath(platformString: $0) }

    private func outcomes(in name: String) throws -> (decoded: [String], failed: [String]) {
        let folder = try #require(Self.folder).appending(name)
        var decoded: [String] = []
        var failed: [String] = []
        for file in Fixtures.names(in: folder) {
            do {
                _ = try ImageDecoder.decode(folder.appending(file))
                decoded.append(file)
            } catch {
                #expect(!error.description.contains("\n"))
                failed.append(file)
            }
        }
        return (decoded, failed)
    }

    @Test(
        .enabled(if: folder != nil),
        arguments: [
            "formats/image-tiff", "formats/libtiffpic", "malformed/go-fuzz-png", "malformed/go-fuzz-tiff",
            "malformed/image-tiff-fuzz", "malformed/libpng-crashers", "malformed/raw",
        ])
    func everyFileEndsInAnImageOrOneError(_ name: String) throws {
        let outcomes = try outcomes(in: name)
        #expect(!outcomes.failed.isEmpty)
    }

    /// The eighth file is a bare mosaic without a header, which no program can recognise.
    @Test(.enabled(if: folder != nil))
    func everyCameraFileIsDeveloped() throws {
        let outcomes = try outcomes(in: "raw")
        #expect(outcomes.decoded.count == 7)
        #expect(outcomes.failed == ["nikon_crop_768x512_rggb_u16le.raw"])
    }

    @Test(.enabled(if: folder != nil))
    func everyNoisyCaptureIsDecoded() throws {
        #expect(try outcomes(in: "noisy").failed == ["MANIFEST.csv"])
    }
}
