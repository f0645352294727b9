import Foundation
import Ledger
import SystemPackage

/// The health of everything that the service depends on, without changing any of it.
public struct Diagnosis: Sendable {
    public enum Level: String, Sendable, Comparable {
        case good = "ok"
        /// Works, with a risk.
        case warning
        /// Does not work.
        case problem

        public static func < (left: Level, right: Level) -> Bool { left.rank < right.rank }
        private var rank: Int { self == .good ? 0 : self == .warning ? 1 : 2 }
    }

    /// One thing that was looked at.
    public struct Finding: Sendable, Equatable {
        /// Stable for scripts: "configuration", "inbox", "output", "state", "ledger", "sqlite", "inotify", "hooks",
        /// "daemon".
        public var check: String
        public var level: Level
        public var detail: String
    }

    public private(set) var findings: [Finding] = []
    /// The worst of them.
    public var level: Level { findings.map(\.level).max() ?? .good }

    private let configuration: Configuration
    private let mounts: MountTable
    private let kernel: @Sendable (String) -> Int?

    public init(_ configuration: Configuration) {
        self.init(configuration, mounts: .current(), kernel: { Self.kernelValue($0) })
    }

    /// - Parameter kernel: the number in a file of /proc/sys/fs/inotify.
    init(_ configuration: Configuration, mounts: MountTable, kernel: @escaping @Sendable (String) -> Int?) {
        self.configuration = configuration
        self.mounts = mounts
        self.kernel = kernel
        // What is there can be looked at, whatever is missing.
        do { try configuration.validate() } catch { find("configuration", .problem, "\(error)") }
        for inbox in configuration.watch.paths { look(atInbox: inbox) }
        if let output = configuration.output.directory { look(atOutput: output) }
        lookAtState()
        lookAtLedger()
        lookAtLimits()
        for hook in [configuration.hooks.pre, configuration.hooks.post].compactMap({ $0 }) { look(atHook: hook) }
        lookAtDaemon()
    }

    private mutating func find(_ check: String, _ level: Level, _ detail: String) {
        findings.append(Finding(check: check, level: level, detail: detail))
    }

    private mutating func look(atInbox inbox: FilePath) {
        let kind = mounts.kind(of: inbox)
        let backend = WatchedInbox.backend(configuration.watch.mode, kind)
        let delay = ConfigurationKey.text(configuration.watch.stabilityDelay(isNetwork: kind.isNetwork))
        var how =
            backend == .events
            ? "events" : "polled every \(ConfigurationKey.text(configuration.watch.pollInterval))"
        how = "\(inbox) on \(kind.type), \(how), files settle for \(delay)"
        guard Self.mayAccess(inbox, R_OK | X_OK) else {
            return find(
                "inbox", .problem, "\(inbox) cannot be read (\(Self.lastError)); create or mount it, or allow reading")
        }
        if configuration.watch.onSuccess != .keep, !Self.mayAccess(inbox, W_OK) {
            return find("inbox", .problem, "\(how); watch.on_success needs to write there (\(Self.lastError))")
        }
        if backend == .events, !kind.reportsChanges {
            return find("inbox", .warning, "\(how); changes by other machines raise no events, use watch.mode auto")
        }
        find("inbox", .good, how)
    }

    private mutating func look(atOutput output: FilePath) {
        let parent = Self.existing(output)
        guard Self.mayAccess(parent, W_OK | X_OK) else {
            return find(
                "output", .problem, "\(parent) cannot be written (\(Self.lastError)); see ReadWritePaths= in systemd")
        }
        let free = OutputFolder(parent, state: parent).freeSpace() ?? .max
        let text = "\(output) on \(mounts.kind(of: parent).type), \(free >> 20) MiB free"
        let isShort = free < configuration.limits.minimumFreeSpace
        let required = ConfigurationKey.text(configuration.limits.minimumFreeSpace)
        find("output", isShort ? .problem : .good, isShort ? "\(text), \(required) are required" : text)
    }

    private mutating func lookAtState() {
        let state = configuration.state
        let parent = Self.existing(state)
        let kind = mounts.kind(of: parent)
        if kind.isNetwork {
            return find(
                "state", .problem, "\(state) lies on \(kind.type), where no ledger is safe; name a local folder")
        }
        guard Self.mayAccess(parent, W_OK | X_OK) else {
            return find("state", .problem, "\(parent) cannot be written (\(Self.lastError))")
        }
        let mode = (try? FileManager.default.attributesOfItem(atPath: state.string))?[.posixPermissions] as? Int ?? 0
        let isOpen = mode & 0o077 != 0
        let text = "\(state) on \(kind.type)"
        find("state", isOpen ? .warning : .good, isOpen ? "\(text) is open to others; chmod 700 it" : text)
    }

    private mutating func lookAtLedger() {
        do {
            let ledger = try Ledger.openForReading(in: configuration.state)
            lookAtSQLite(try ledger.libraryVersion())
            try ledger.check()
            let backup = Ledger.backups(in: configuration.state).first
            let newest = backup.map { "newest backup of \($0.madeAt.formatted(.iso8601))" } ?? "no backup yet"
            find("ledger", .good, "\(ledger.path) is whole, \(newest)")
        } catch let error as LedgerError where error.code == .missing {
            find("ledger", .good, "none yet; the first run creates it")
        } catch {
            find("ledger", .problem, "\(error)")
        }
    }

    /// The WAL-reset race of SQLite 3.7.0 to 3.51.2 can damage a database with a write-ahead log.
    private mutating func lookAtSQLite(_ version: String) {
        let numbers = version.split(separator: ".").compactMap { Int($0) }
        let isAffected = numbers.lexicographicallyPrecedes([3, 51, 3])
        find(
            "sqlite", isAffected ? .warning : .good,
            isAffected
                ? "SQLite \(version) can damage databases in WAL mode (fixed in 3.51.3); the ledger does not use it, so "
                    + "leave journal_mode as it is" : "SQLite \(version)")
    }

    private mutating func lookAtLimits() {
        guard let watches = kernel("max_user_watches"), let instances = kernel("max_user_instances"),
            let events = kernel("max_queued_events")
        else { return find("inotify", .warning, "the kernel's limits cannot be read; inboxes may be polled") }
        let isLow = watches < 8192 || instances < 16
        let text = "\(watches) watches, \(instances) instances, \(events) queued events"
        find(
            "inotify", isLow ? .warning : .good,
            isLow ? "\(text); raise fs.inotify.max_user_watches and max_user_instances for large inboxes" : text)
    }

    private mutating func look(atHook hook: FilePath) {
        let isProgram = (try? FileStatus.of(hook, followingLink: true))?.kind == .file && Self.mayAccess(hook, X_OK)
        find("hooks", isProgram ? .good : .problem, isProgram ? "\(hook)" : "\(hook) is no program that can be run")
    }

    private mutating func lookAtDaemon() {
        guard let process = StateLock.holder(folder: configuration.state) else {
            return find("daemon", .good, "not running")
        }
        do {
            let status = try ControlClient.send(ControlRequest(.status), to: configuration.state)?.status
            guard let status else {
                return find("daemon", .warning, "process \(process) holds the state folder and has no control socket")
            }
            for (_, text) in status.warnings.sorted(by: { $0.key < $1.key }) { find("daemon", .warning, text) }
            find("daemon", .good, "process \(process): \(status.summary)")
        } catch {
            find("daemon", .problem, "\(error)")
        }
    }

    /// The nearest folder above that exists.
    private static func existing(_ path: FilePath) -> FilePath {
        var path = path
        while (try? FileStatus.of(path, followingLink: true)) == nil, path.removeLastComponent() {}
        return path
    }

    private static func mayAccess(_ path: FilePath, _ mode: Int32) -> Bool {
        path.withPlatformString { access($0, mode) } == 0
    }

    private static var lastError: Errno { Errno(rawValue: errno) }

    private static func kernelValue(_ name: String) -> Int? {
        FileManager.default.contents(atPath: "/proc/sys/fs/inotify/\(name)")
            .flatMap { Int(String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)) }
    }
}
