import CImageShims
import SystemPackage

/// Turns the bytes of a file into a photograph. The format is found by content; names only serve messages.
///
/// Decoders of foreign bytes may crash in spite of every check: call this from a process that may die, as
/// `PhotographDecoder` does.
public enum ImageDecoder {
    /// Names and versions of the libraries that decode, for bug reports and for what depends on their exact pixels.
    public static var libraries: String { String(cString: shim_library_versions()) }

    /// Reads and decodes a file.
    ///
    /// - Throws: what `FileContents` and `decode(_:limits:)` throw.
    public static func decode(
        _ path: FilePath, limits: DecodingLimits = DecodingLimits()
    ) throws(ImagingError) -> Photograph {
        try decode(FileContents(path, limits: limits), limits: limits)
    }

    /// Decodes bytes that were read before, and perhaps hashed.
    public static func decode(
        _ contents: FileContents, limits: DecodingLimits = DecodingLimits()
    ) throws(ImagingError) -> Photograph {
        let name = ImagingError.display(contents.path)
        return try contents.withUnsafeBytes { (bytes) throws(ImagingError) in
            try decode(bytes: bytes, name: name, limits: limits)
        }
    }

    /// Decodes a block of memory; `name` appears in errors.
    public static func decode(
        bytes: [UInt8], name: String, limits: DecodingLimits = DecodingLimits()
    ) throws(ImagingError) -> Photograph {
        let result = bytes.withUnsafeBytes { block -> Result<Photograph, ImagingError> in
            do throws(ImagingError) {
                return .success(try decode(bytes: block, name: name, limits: limits))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Decodes a block of memory that stays unchanged during the call.
    ///
    /// - Throws: `malformed` for damaged or incomplete bytes, `unsupported` for intact bytes of a kind that is not
    ///   decoded, `limitExceeded` before any memory is taken, `outOfMemory` and `internalFailure` from libraries.
    public static func decode(
        bytes: UnsafeRawBufferPointer, name: String, limits: DecodingLimits = DecodingLimits()
    ) throws(ImagingError) -> Photograph {
        switch format(of: bytes) {
        case .png: try decodePNG(bytes, name, limits)
        case .jpeg: try decodeJPEG(bytes, name, limits)
        case .tiff: try decodeTIFF(bytes, name, limits)
        case .raw: try decodeRAW(bytes, name, limits)
        case nil:
            throw ImagingError(
                .malformed, .decode, file: name, cause: "it is empty", remedy: "copy it again from its source")
        }
    }

    /// The decoder that is responsible for these bytes; LibRaw for everything unknown, nil for an empty block.
    public static func format(of bytes: UnsafeRawBufferPointer) -> ImageFormat? {
        if bytes.isEmpty { return nil }
        if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) { return .png }
        if bytes.starts(with: [0xFF, 0xD8, 0xFF]) { return .jpeg }
        if let block = TagBlock(bytes), !block.holdsSensorData() { return .tiff }
        return .raw
    }
}

extension ImageDecoder {
    /// Decodes `count` samples into a new array, which is never filled in advance. Nil when `fill` returns false.
    static func samples<Sample>(
        _ count: Int, fill: (UnsafeMutablePointer<Sample>) -> Bool
    ) -> [Sample]? {
        var isComplete = false
        let samples = [Sample](unsafeUninitializedCapacity: count) { buffer, initialized in
            guard let base = buffer.baseAddress, fill(base) else { return }
            initialized = count
            isComplete = true
        }
        return isComplete ? samples : nil
    }

    /// A copy of bytes that a library owns.
    static func copy(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> [UInt8]? {
        guard let bytes, count > 0 else { return nil }
        return [UInt8](UnsafeBufferPointer(start: bytes, count: count))
    }
}
