import CImageShims
import SystemPackage

/// Why a file could not become pixels, or pixels a file: one line for the operator.
public struct ImagingError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of failure, for programs.
    public struct Code: Sendable, Hashable {
        public let name: String

        /// The bytes break their format or end too early. A young file may still be growing.
        public static let malformed = Code(name: "malformed")
        /// The file is intact, yet of a kind that is not decoded.
        public static let unsupported = Code(name: "unsupported")
        /// The image or file is larger than `DecodingLimits` allow.
        public static let limitExceeded = Code(name: "limitExceeded")
        /// Memory is exhausted.
        public static let outOfMemory = Code(name: "outOfMemory")
        /// Not a regular file: a folder, link, pipe, socket or device.
        public static let notARegularFile = Code(name: "notARegularFile")
        /// The file changed while it was read.
        public static let changedWhileReading = Code(name: "changedWhileReading")
        /// The operating system refused to read.
        public static let readFailed = Code(name: "readFailed")
        /// The operating system refused to write; `errno` tells why.
        public static let writeFailed = Code(name: "writeFailed")
        /// The output's name is taken.
        public static let alreadyExists = Code(name: "alreadyExists")
        /// A library failed for a reason of its own.
        public static let internalFailure = Code(name: "internalFailure")
        /// The decoder process died or answered nonsense. Trying again rarely helps.
        public static let decoderCrashed = Code(name: "decoderCrashed")
        /// The decoder process used up its time and was ended.
        public static let decoderTimedOut = Code(name: "decoderTimedOut")
        /// No decoder process could be started; another moment may be better.
        public static let decoderUnavailable = Code(name: "decoderUnavailable")
        /// The decoder could not lock itself in, and this kind of file is not decoded otherwise.
        public static let unconfined = Code(name: "unconfined")
    }

    /// What was attempted.
    public enum Action: String, Sendable {
        case read, decode, write
    }

    public let code: Code
    public let action: Action
    /// The file's name; bytes that are no printable text are escaped.
    public let file: String
    /// What is wrong, without a full stop.
    public let cause: String
    /// What the operator can do, without a full stop.
    public let remedy: String
    /// The system's error number where the system refused.
    public let errno: Errno?

    public init(
        _ code: Code, _ action: Action, file: String, cause: String, remedy: String, errno: Errno? = nil
    ) {
        self.code = code
        self.action = action
        self.file = file
        self.cause = cause
        self.remedy = remedy
        self.errno = errno
    }

    /// "cannot decode photo.tif: 12-bit floating point is not supported; convert it to …"
    public var description: String { "cannot \(action.rawValue) \(file): \(cause); \(remedy)" }

    /// A file name for messages: one line, whatever bytes it has.
    public static func display(_ path: FilePath) -> String {
        var text = ""
        for scalar in path.string.unicodeScalars {
            let isControl = scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value)
            text += isControl ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
        }
        return text
    }
}

extension ImagingError {
    /// What a library reported while decoding `file`.
    init(decoding file: String, _ failure: ShimFailure) {
        let text = failure.message
        switch Int(failure.code) {
        case SHIM_UNSUPPORTED:
            self.init(
                .unsupported, .decode, file: file, cause: "\(text): this kind is not supported",
                remedy: "convert it to an 8- or 16-bit RGB or grey TIFF or PNG")
        case SHIM_TOO_LARGE:
            self.init(
                .limitExceeded, .decode, file: file, cause: "\(text), more than the limit allows",
                remedy: "raise limits.megapixels if the file is trusted")
        case SHIM_NO_MEMORY:
            self.init(
                .outOfMemory, .decode, file: file, cause: text, remedy: "raise limits.memory or free some memory")
        case SHIM_INTERNAL:
            self.init(
                .internalFailure, .decode, file: file, cause: text, remedy: "convert it to a 16-bit TIFF and try that")
        default:
            self.init(
                .malformed, .decode, file: file, cause: "it is damaged or incomplete (\(text))",
                remedy: "copy it again from the camera or its source")
        }
    }

    /// What a library reported while writing `file`.
    init(writing file: String, _ failure: ShimFailure) {
        if failure.number != 0 {
            self.init(writing: file, Errno(rawValue: failure.number))
        } else {
            self.init(.internalFailure, .write, file: file, cause: failure.message, remedy: "choose another format")
        }
    }

    /// What the system said while writing `file`.
    init(writing file: String, _ errno: Errno) {
        let remedy =
            switch errno {
            case .noSpace, .diskQuotaExceeded: "free some space; the photograph will be tried again"
            case .permissionDenied, .notPermitted, .readOnlyFileSystem: "make the output folder writable"
            case .noSuchFileOrDirectory: "create the output folder"
            default: "check the file system"
            }
        self.init(.writeFailed, .write, file: file, cause: errno.description, remedy: remedy, errno: errno)
    }
}

extension ShimFailure {
    /// The library's message without line breaks.
    var message: String {
        let text = withUnsafePointer(to: self) { String(cString: shim_failure_text($0)) }
        return text.split(whereSeparator: \.isNewline).joined(separator: " ")
    }
}
