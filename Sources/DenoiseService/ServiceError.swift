import SystemPackage

/// Why the service cannot do something: what happened, to which file, and what to do about it.
public struct ServiceError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds of failure; more may be added.
    public struct Code: Sendable, Hashable, RawRepresentable {
        public let rawValue: String

        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// A key, a value or a combination of them is wrong.
        public static let badConfiguration = Code(rawValue: "bad_configuration")
        /// The configuration file that was named does not exist or cannot be read.
        public static let missingConfiguration = Code(rawValue: "missing_configuration")
        /// Another daemon works in the state folder.
        public static let locked = Code(rawValue: "locked")
        /// A folder or file cannot be read or written.
        public static let inaccessible = Code(rawValue: "inaccessible")
        /// The kernel refused to watch a folder.
        public static let watchFailed = Code(rawValue: "watch_failed")
        /// The file disappeared.
        public static let vanished = Code(rawValue: "vanished")
        /// The file is a link, a pipe or a device.
        public static let notARegularFile = Code(rawValue: "not_a_regular_file")
        /// An output does not have the content that was written.
        public static let damagedOutput = Code(rawValue: "damaged_output")
        /// The output's file system is too full.
        public static let noSpace = Code(rawValue: "no_space")
        /// Nothing can be written into the output folder.
        public static let unwritableOutput = Code(rawValue: "unwritable_output")
        /// The state folder is on a network share, where locks and journals cannot be relied on.
        public static let networkState = Code(rawValue: "network_state")
        /// A hook refused a photograph, failed or took too long.
        public static let hookFailed = Code(rawValue: "hook_failed")
        /// The ledger was found damaged while the daemon worked.
        public static let damagedLedger = Code(rawValue: "damaged_ledger")
        /// The running daemon refused what a command asked for, or did not answer.
        public static let refused = Code(rawValue: "refused")
    }

    public let code: Code
    /// The file, folder or key concerned.
    public let subject: String
    /// What happened.
    public let cause: String
    /// What the operator can do.
    public let remedy: String
    /// The system's error number where the system refused.
    public let errno: Errno?

    public init(_ code: Code, subject: String, cause: String, remedy: String, errno: Errno? = nil) {
        self.code = code
        self.errno = errno
        self.subject = subject
        self.cause = cause
        self.remedy = remedy
    }

    public var description: String { "\(subject): \(cause); \(remedy)" }

    /// A file that the operating system did not let the service use.
    static func inaccessible(
        _ path: FilePath, _ doing: String, _ number: Errno, code: Code = .inaccessible
    ) -> ServiceError {
        ServiceError(
            code, subject: path.string, cause: "cannot \(doing) (\(number))",
            remedy: "check that it exists and that the service's user may use it", errno: number)
    }
}
