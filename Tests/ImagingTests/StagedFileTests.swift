import Glibc
import Imaging
import SystemPackage
import Testing

struct StagedFileTests {
    private func stage(_ path: FilePath, _ text: String) throws -> StagedFile {
        let staged = try StagedFile(path)
        try staged.write(Array(text.utf8))
        return staged
    }

    @Test func nothingBearsTheNameBeforeTheEnd() throws {
        let folder = try TemporaryFolder()
        let staged = try stage(folder.path.appending("photo.tif"), "pixels")
        #expect(folder.names.count == 1)
        #expect(folder.names.allSatisfy { $0.hasPrefix(".photo.tif.") && $0.hasSuffix(".part") })
        let path = try staged.finish()
        #expect(folder.names == ["photo.tif"])
        #expect(try FileContents(path).bytes == Array("pixels".utf8))
    }

    @Test func droppingRemovesTheTemporary() throws {
        let folder = try TemporaryFolder()
        do {
            let staged = try stage(folder.path.appending("photo.tif"), "half")
            _ = consume staged
        }
        #expect(folder.names == [])
    }

    @Test func existingFilesAreNeverReplaced() throws {
        let folder = try TemporaryFolder()
        let first = try folder.file("photo.tif", [1])
        let staged = try stage(first, "other")
        do {
            _ = try staged.finish()
            Issue.record("a file was replaced")
        } catch {
            #expect(error.code == .alreadyExists)
        }
        #expect(try FileContents(first).bytes == [1])
        #expect(folder.names == ["photo.tif"])
    }

    @Test func onlyReplaceTakesThePlaceOfAFile() throws {
        let folder = try TemporaryFolder()
        let path = try folder.file("model", [1])
        try StagedFile.replace(path, with: [2, 3])
        try StagedFile.replace(folder.path.appending("new"), with: [4])
        #expect(folder.names == ["model", "new"])
        #expect(try FileContents(path).bytes == [2, 3])
        do {
            // A folder has the name.
            try StagedFile.replace(folder.path, with: [5])
            Issue.record("a folder was replaced")
        } catch {
            #expect(error.code == .writeFailed)
        }
        #expect(folder.names == ["model", "new"])
    }

    @Test func takenNamesAreNumbered() throws {
        let folder = try TemporaryFolder()
        _ = try folder.file("photo.tif", [1])
        _ = try folder.file("photo-2.tif", [2])
        let path = try stage(folder.path.appending("photo.tif"), "third").finish(attempts: 9)
        #expect(path.lastComponent?.string == "photo-3.tif")
        #expect(folder.names == ["photo-2.tif", "photo-3.tif", "photo.tif"])
    }

    @Test(arguments: [("a.tif", "a-2.tif"), ("a", "a-2"), (".hidden", ".hidden-2"), ("a.b.png", "a.b-2.png")])
    func numbersStandBeforeTheExtension(_ name: String, _ expected: String) {
        #expect(StagedFile.numbered(FilePath("in/\(name)"), 2) == FilePath("in/\(expected)"))
    }

    @Test func namesOfAnyBytesAndLengthWork() throws {
        let folder = try TemporaryFolder()
        let long = String(repeating: "n", count: 251) + ".tif"
        #expect(try stage(folder.path.appending(long), "x").finish().lastComponent?.string == long)
        let bytes: [CChar] = [0x61, .init(truncatingIfNeeded: 0xFF), 0x0A, 0x2E, 0x74, 0x69, 0x66, 0]
        let strange = FilePath(platformString: bytes)
        _ = try stage(folder.path.appending(strange.components), "x").finish()
        let second = try stage(folder.path.appending(strange.components), "y").finish(attempts: 2)
        #expect(try FileContents(second).bytes == Array("y".utf8))
        for path in [folder.path.appending(strange.components), second] {
            path.withPlatformString { _ = unlink($0) }
        }
    }

    @Test func writtenBytesCanBeReadBack() throws {
        let folder = try TemporaryFolder()
        let staged = try stage(folder.path.appending("photo.tif"), "pixels")
        var seen: [UInt8] = []
        try staged.readBack { seen += $0 }
        #expect(seen == Array("pixels".utf8))
    }

    @Test func aMissingFolderIsNamed() {
        do {
            _ = try StagedFile("/nonexistent/photo.tif")
            Issue.record("a file was staged nowhere")
        } catch {
            #expect(error.code == .writeFailed)
            #expect(error.errno == .noSuchFileOrDirectory)
        }
    }

    /// /dev/full fails every write with ENOSPC.
    @Test(arguments: ImageEncoder.Format.allCases)
    func aFullDiskIsReported(_ format: ImageEncoder.Format) throws {
        let full = try FileDescriptor.open("/dev/full", .readWrite)
        defer { try? full.close() }
        let samples = (0..<600 * 400).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 9) }
        let photograph = Fixtures.photograph(.uint8(samples), width: 600, height: 400, colourChannels: 1)
        do {
            try ImageEncoder.encode(photograph, format: format, to: full, name: "photo")
            Issue.record("a full disk was not noticed")
        } catch {
            #expect(error.code == .writeFailed)
            #expect(error.errno == .noSpace)
        }
    }
}
