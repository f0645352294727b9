import Denoising
import Imaging
import Ledger
import SystemPackage

/// What an error means for the photograph that it happened to.
struct Failure: Sendable, Equatable {
    enum Kind: Sendable, Equatable {
        /// May pass: bad sectors, a share's hiccup, a lack of memory, rights that were forgotten.
        case transient
        /// Ended the decoder, or found no memory: once more, in case the machine was to blame, and not again.
        case twice
        /// Will not: the same bytes give the same answer.
        case permanent
        /// There is no space for an output at present, whichever photograph it is of.
        case noSpace
        /// Nobody may write into the output folder at present, whichever photograph it is for.
        case noOutput(Errno)
        /// The file is gone.
        case vanished
        /// The file changed while it was read.
        case changed
        /// A link, pipe or device.
        case irregular
        /// There is nothing to denoise, and nothing to be written for it.
        case clean
    }

    /// Whoever decodes a file younger than this may have half a copy.
    static let youth = Duration.seconds(600)

    var kind: Kind
    /// One line.
    var reason: String

    /// - Parameter age: time since the file was modified by the wall clock; negative for the future, which is as
    ///   suspicious as the recent past.
    init(_ error: any Error, age: Duration) {
        reason = Self.line("\(error)")
        switch error {
        case let error as ImagingError: kind = Self.kind(of: error, isYoung: abs(age / .seconds(1)) < 600)
        case let error as ServiceError: kind = Self.kind(of: error)
        case let error as Errno: kind = Self.kind(of: error)
        case is NothingToDenoise: kind = .clean
        // Whoever does not say gets its attempts, and quarantine if they do not help.
        default: kind = .transient
        }
    }

    private static func kind(of error: ImagingError, isYoung: Bool) -> Kind {
        switch error.code {
        case .malformed: isYoung ? .transient : .permanent
        case .unsupported, .limitExceeded, .unconfined: .permanent
        case .decoderCrashed, .decoderTimedOut, .outOfMemory: .twice
        case .notARegularFile: .irregular
        case .changedWhileReading: .changed
        case .readFailed: error.errno.map(kind(of:)) ?? .transient
        case .writeFailed: error.errno.map(kind(ofWriting:)) ?? .transient
        default: .transient
        }
    }

    private static func kind(of error: ServiceError) -> Kind {
        switch error.code {
        case .vanished: .vanished
        case .notARegularFile: .irregular
        case .noSpace: .noSpace
        case .unwritableOutput: error.errno.map(kind(ofWriting:)) ?? .transient
        default: error.errno.map(kind(of:)) ?? .transient
        }
    }

    private static func kind(of number: Errno) -> Kind {
        switch number {
        case .noSpace, .diskQuotaExceeded: .noSpace
        case .noSuchFileOrDirectory: .vanished
        default: .transient
        }
    }

    /// Every output is made in the same folder, so that a refusal there is one for all.
    private static func kind(ofWriting number: Errno) -> Kind {
        switch number {
        case .noSpace, .diskQuotaExceeded: .noSpace
        case .permissionDenied, .notPermitted, .readOnlyFileSystem: .noOutput(number)
        default: .transient
        }
    }

    private static func line(_ text: String) -> String {
        text.isEmpty ? "unknown error" : text.split(whereSeparator: \.isNewline).joined(separator: " ")
    }
}
