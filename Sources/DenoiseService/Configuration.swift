import Denoising
import Imaging
import SystemPackage

/// How the service works; every value has a key, see `ConfigurationKey`.
public struct Configuration: Sendable, Equatable {
    public var watch = Watch()
    public var output = Output()
    public var finetune = Finetune()
    public var limits = Limits()
    public var hooks = Hooks()
    public var history = History()
    public var decoder = Decoder()
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

extension Configuration {
    /// Where photographs arrive.
    public struct Watch: Sendable, Equatable {
        /// How changes in an inbox become known.
        public enum Mode: String, Sendable, CaseIterable {
            /// Events on local disks, polling where the file system tells nothing of changes by other machines.
            case auto
            case events, poll
        }

        /// What becomes of an original whose output is durable.
        public enum Success: String, Sendable, CaseIterable {
            case keep, archive, delete
        }

        /// What becomes of a file whose content was denoised already.
        public enum Duplicate: String, Sendable, CaseIterable {
            /// It is listed as a duplicate.
            case list
            /// And gets a copy of the output under its own name.
            case copy
        }

        public var paths: [FilePath] = []
        public var isRecursive = true
        public var mode = Mode.auto
        /// How often a polled inbox is read.
        public var pollInterval: Duration = .seconds(10)
        /// How long size and times of a file must stand still; nil follows the file system.
        public var stabilityDelay: Duration?
        /// How often every folder is read again, whatever the kernel reported.
        public var rescanInterval: Duration = .seconds(300)
        /// Shell patterns of names that are ignored in addition to temporary files.
        public var ignore: [String] = []
        /// Extensions of photographs, lowercase, without dot.
        public var extensions: [String] = InboxFilter.photographExtensions
        public var onSuccess = Success.keep
        public var onDuplicate = Duplicate.list

        /// Where attributes come through a cache, they may be a minute old (NFS: acregmax), so the delay is longer.
        public func stabilityDelay(isNetwork: Bool) -> Duration {
            stabilityDelay ?? (isNetwork ? .seconds(60) : .seconds(5))
        }
    }

    /// Where outputs go.
    public struct Output: Sendable, Equatable {
        public var directory: FilePath?
    }

    /// When the model adapts itself to the photographs it has seen.
    public struct Finetune: Sendable, Equatable {
        /// Whether noisy crops are kept, and the model is fitted to them.
        public var isEnabled = true
        /// Fine-tuning begins and ends in this part of the day.
        public var schedule = DailyWindow(start: 60, end: 300)
        /// Kept crops that it needs at least.
        public var minimumCaptures = 20
    }

    /// What the service may use.
    public struct Limits: Sendable, Equatable {
        /// Bytes that decoded samples may take; nil follows `megapixels`.
        public var memory: Int64?
        /// Larger photographs are refused.
        public var megapixels = 300.0
        /// Bytes that must stay free on the output's file system; below, no photograph is begun.
        public var minimumFreeSpace: Int64 = 1 << 30
        /// Failed attempts in a row after which a photograph is quarantined.
        public var maximumAttempts = 5
        /// Time before a failed photograph is tried again; doubled after each further failure.
        public var retryBackoff: Duration = .seconds(60)
    }

    /// Programs that are run for each photograph.
    public struct Hooks: Sendable, Equatable {
        /// Before it is denoised; a photograph that it refuses fails.
        public var pre: FilePath?
        /// When it has reached its end.
        public var post: FilePath?
        /// A hook that takes longer is ended.
        public var timeout: Duration = .seconds(300)
    }

    /// The process that photographs are decoded in.
    public struct Decoder: Sendable, Equatable {
        /// What becomes of camera RAW where it cannot lock itself in.
        public var confinement = DecoderProcess.Confinement.required
    }

    /// What the ledger remembers.
    public struct History: Sendable, Equatable {
        /// Rows of photographs that are gone from the inbox are dropped after this time; nil keeps them for ever.
        public var keep: Duration?
    }
}
