import Denoising
import SystemPackage

/// How the service works; every value has a key, see `ConfigurationKey`.
public struct Configuration: Sendable, Equatable {
    /// Where photographs arrive.
    public struct Watch: Sendable, Equatable {
        public var paths: [FilePath] = []
        public var isRecursive = true
        /// How long size and times of a file must stand still.
        public var stabilityDelay: Duration = .seconds(5)
        /// How often every folder is read again, whatever the kernel reported.
        public var rescanInterval: Duration = .seconds(300)
        /// Shell patterns of names that are ignored in addition to temporary files.
        public var ignore: [String] = []
        /// Extensions of photographs, lowercase, without dot.
        public var extensions: [String] = InboxFilter.photographExtensions
    }

    /// Where outputs go.
    public struct Output: Sendable, Equatable {
        public var directory: FilePath?
    }

    /// What the service may use.
    public struct Limits: Sendable, Equatable {
        /// Bytes that must stay free on the output's file system; below, no photograph is begun.
        public var minimumFreeSpace: Int64 = 1 << 30
    }

    /// What the daemon learns from what it sees.
    public struct Finetune: Sendable, Equatable {
        /// Whether noisy crops are kept, and the model is fitted to them.
        public var isEnabled = true
        /// It learns in this part of the day.
        public var schedule = DailyWindow(start: 60, end: 300)
        /// Kept crops that it needs at least.
        public var minimumCaptures = 20
    }

    public var watch = Watch()
    public var output = Output()
    public var limits = Limits()
    public var finetune = Finetune()
    /// How photographs are denoised.
    public var image = ImageOptions()
    /// Folder of ledger, lock and models.
    public var state: FilePath = StateFolder.standard()

    public init() {}

    /// Checks what no single key can: that inboxes and output are named and do not feed each other.
    ///
    /// - Throws: `ServiceError` with the code `badConfiguration`.
    public func validate() throws {
        guard !watch.paths.isEmpty else {
            throw Self.incomplete("watch.path", "no inbox is named", "name a folder with --inbox or watch.path")
        }
        guard let directory = output.directory else {
            throw Self.incomplete("output.dir", "no output folder is named", "name one with --output or output.dir")
        }
        for inbox in watch.paths where inbox == directory {
            throw Self.incomplete(
                "output.dir", "\(directory.string) is an inbox as well, so outputs would be denoised again",
                "name another folder")
        }
        for inbox in watch.paths where state.starts(with: inbox) {
            throw Self.incomplete("state.dir", "\(state.string) lies inside an inbox", "name another folder")
        }
    }

    private static func incomplete(_ key: String, _ cause: String, _ remedy: String) -> ServiceError {
        ServiceError(.badConfiguration, subject: key, cause: cause, remedy: remedy)
    }
}
