import SystemPackage

/// Where foreign bytes are decoded.
public enum PhotographDecoder: Sendable {
    /// In this process, which a damaged or hostile file may end: for tests and for what it wrote itself.
    case inThisProcess
    /// In a process of its own for each file, which has nothing but that file and can do nothing but answer.
    case inChild(DecoderProcess)

    /// A child of this program's own executable, which must begin with `DecoderHelper.serve`.
    public static var confined: PhotographDecoder { .inChild(DecoderProcess()) }

    /// Reads and decodes a file.
    ///
    /// - Throws: what `FileContents` and `decode(_:limits:)` throw.
    public func decode(
        _ path: FilePath, limits: DecodingLimits = DecodingLimits()
    ) throws(ImagingError) -> Photograph {
        try decode(FileContents(path, limits: limits), limits: limits)
    }

    /// Decodes bytes that were read before, and perhaps hashed.
    ///
    /// - Throws: what `ImageDecoder.decode` throws; in a child also `decoderCrashed`, `decoderTimedOut`,
    ///   `decoderUnavailable` and `unconfined`.
    public func decode(
        _ contents: FileContents, limits: DecodingLimits = DecodingLimits()
    ) throws(ImagingError) -> Photograph {
        switch self {
        case .inThisProcess: try ImageDecoder.decode(contents, limits: limits)
        case .inChild(let process): try process.decode(contents, limits: limits)
        }
    }
}
