import GRDB
import Glibc
import SystemPackage

/// Why the ledger cannot be used: what happened, to which file, and what to do about it.
public struct LedgerError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds of failure; more may be added.
    public struct Code: Sendable, Hashable, RawRepresentable {
        public let rawValue: String

        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// There is no ledger in the state folder.
        public static let missing = Code(rawValue: "missing")
        /// The file is no database at all, or its header is damaged.
        public static let notALedger = Code(rawValue: "not_a_ledger")
        /// The file is another program's database.
        public static let foreign = Code(rawValue: "foreign")
        /// A newer version of the program wrote the ledger.
        public static let newer = Code(rawValue: "newer")
        /// The ledger's pages contradict each other, or its schema is not the one of its version.
        public static let corrupt = Code(rawValue: "corrupt")
        /// Another process held the ledger for longer than the busy timeout.
        public static let busy = Code(rawValue: "busy")
        /// The disk is full; nothing was written.
        public static let full = Code(rawValue: "full")
        /// The file cannot be opened or written.
        public static let inaccessible = Code(rawValue: "inaccessible")
        /// The question names a photograph that the ledger does not have.
        public static let unknownPhotograph = Code(rawValue: "unknown_photograph")
        /// The photograph's state does not allow what was asked.
        public static let wrongState = Code(rawValue: "wrong_state")
    }

    public let code: Code
    /// The file or photograph concerned.
    public let subject: String
    /// What happened.
    public let cause: String
    /// What the operator can do.
    public let remedy: String

    public init(_ code: Code, subject: String, cause: String, remedy: String) {
        self.code = code
        self.subject = subject
        self.cause = cause
        self.remedy = remedy
    }

    /// Whether the same call may succeed later without anyone mending the ledger.
    public var isPassing: Bool { code == .busy || code == .full }

    public var description: String { "\(subject): \(cause); \(remedy)" }
}

extension LedgerError {
    /// Translates what SQLite says about `path` into a sentence for the operator.
    static func translating<Value>(_ path: FilePath, _ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as DatabaseError {
            throw LedgerError(error, path: path)
        }
    }

    /// The ledger at `path` contradicts itself.
    init(damaged path: FilePath, _ how: String) {
        self.init(
            .corrupt, subject: path.string, cause: "the database is damaged (\(how))",
            remedy: "start the service again, which keeps it aside and puts the newest whole backup in its place; the "
                + "photographs themselves are not affected")
    }

    private init(_ error: DatabaseError, path: FilePath) {
        let subject = path.string
        switch error.resultCode {
        case .SQLITE_NOTADB:
            self.init(
                .notALedger, subject: subject, cause: "the file is not an SQLite database",
                remedy: "choose another state folder, or move the file away")
        case .SQLITE_CORRUPT:
            self.init(damaged: path, error.message ?? "no details")
        case .SQLITE_READONLY
        where error.extendedResultCode == .SQLITE_READONLY && path.withPlatformString({ access($0, W_OK) }) == 0:
            self.init(damaged: path, "its header says that it cannot be written")
        case .SQLITE_ERROR where error.message == "unsupported file format":
            self.init(damaged: path, "its header names a format that does not exist")
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            self.init(
                .busy, subject: subject, cause: "another process keeps the ledger locked",
                remedy: "end the program that has it open and try again")
        case .SQLITE_FULL:
            self.init(
                .full, subject: subject, cause: "the disk is full", remedy: "free some space in the state folder")
        default:
            self.init(
                .inaccessible, subject: subject, cause: error.message ?? "SQLite error \(error.resultCode.rawValue)",
                remedy: "check the folder's permissions and free space")
        }
    }
}
