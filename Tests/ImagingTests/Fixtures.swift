import Glibc
import Imaging
import SystemPackage

/// The committed pictures, and what they hold.
enum Fixtures {
    static let images: FilePath = FilePath(#filePath)
        .removingLastComponent().removingLastComponent().appending("Fixtures/Images")

    /// Size of the TIFFs that `make_images.py` writes.
    static let width = 21
    static let height = 13

    static func made(_ name: String) -> FilePath { images.appending("made/\(name)") }

    /// The formula of `make_images.py`.
    static func sample16(_ y: Int, _ x: Int, _ c: Int) -> Int { (701 * x + 1303 * y + 2909 * c) % 65_536 }

    /// All samples of a made picture, pixel by pixel.
    static func samples<Sample>(channels: Int, _ convert: (Int) -> Sample) -> [Sample] {
        (0..<height * width * channels).map { index in
            convert(sample16(index / channels / width, index / channels % width, index % channels))
        }
    }

    /// Names in a folder, sorted.
    static func names(in folder: FilePath) -> [String] {
        guard let handle = opendir(folder.string) else { return [] }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix("..") && name != "." { names.append(name) }
        }
        return names.sorted()
    }

    /// A photograph that was never in a file.
    static func photograph(
        _ samples: PixelBuffer.Samples, width: Int, height: Int, colourChannels: Int, extra: [ExtraChannel] = [],
        metadata: Metadata = Metadata(), profile: [UInt8]? = nil
    ) -> Photograph {
        Photograph(
            pixels: PixelBuffer(
                width: width, height: height, colourChannels: colourChannels, extraChannels: extra, samples: samples),
            metadata: metadata, iccProfile: profile, format: .tiff)
    }
}

/// A folder that exists during one test.
struct TemporaryFolder: ~Copyable {
    let path: FilePath

    init() throws {
        var template = Array("/tmp/imaging-tests-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Errno(rawValue: errno) }
        path = template.withUnsafeBufferPointer { buffer in
            buffer.baseAddress.map { FilePath(platformString: $0) } ?? FilePath()
        }
    }

    deinit {
        for name in Fixtures.names(in: path) { unlink(path.appending(name).string) }
        rmdir(path.string)
    }

    var names: [String] { Fixtures.names(in: path) }

    /// Writes a file and returns its path.
    func file(_ name: String, _ bytes: [UInt8]) throws -> FilePath {
        let target = path.appending(name)
        let descriptor = try FileDescriptor.open(
            target, .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
        try descriptor.closeAfter { _ = try descriptor.writeAll(bytes) }
        return target
    }

    /// Encodes, publishes and decodes again.
    func roundTrip(
        _ photograph: Photograph, _ format: ImageEncoder.Format, bitDepth: Int? = nil
    ) throws -> Photograph {
        let staged = try StagedFile(path.appending("trip.\(format.fileExtension)"))
        try ImageEncoder.encode(photograph, format: format, bitDepth: bitDepth, to: staged)
        return try ImageDecoder.decode(staged.finish(attempts: 100))
    }
}
