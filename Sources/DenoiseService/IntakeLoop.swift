import Foundation
import Ledger
import Logging
import SystemPackage

/// The work of `Intake`, without its thread and its clock.
struct IntakeLoop {
    private let configuration: Configuration
    private let ledger: Ledger
    private let logger: Logger
    private let scanner: InboxScanner
    private var tracker: StabilityTracker
    private var watcher: DirectoryWatcher?
    private var nextRescan: Duration = .zero
    private var reported: Set<String> = []
    private var events: [DirectoryWatcher.Event] = []
    /// How often inboxes are read if the kernel does not watch them.
    private static let pollInterval = Duration.seconds(10)

    init(_ configuration: Configuration, ledger: Ledger, logger: Logger, watches: Bool) {
        self.configuration = configuration
        self.ledger = ledger
        self.logger = logger
        scanner = InboxScanner(configuration)
        tracker = StabilityTracker(delay: configuration.watch.stabilityDelay)
        guard watches else { return }
        do {
            watcher = try DirectoryWatcher(watchingFolders: configuration.watch.isRecursive)
        } catch {
            logger.warning("inboxes are read periodically", metadata: ["error": "\(error)"])
        }
    }

    /// Whether no file is waiting to be complete.
    var isSettled: Bool { tracker.isEmpty }

    /// Waits until something happens or is due.
    mutating func wait(at now: Duration, wakeUp: WakeUp) {
        let next = min(nextRescan, tracker.deadline ?? nextRescan)
        let pause = max(next - now, .milliseconds(10))
        if let watcher {
            events += watcher.wait(atMost: pause, wakeUp: wakeUp)
        } else {
            wakeUp.wait(atMost: pause)
        }
    }

    /// Handles what happened and what is due; true if photographs were queued.
    mutating func step(at now: Duration) throws -> Bool {
        events += watcher?.read() ?? []
        let pending = events
        events = []
        if now >= nextRescan || pending.contains(.outdated) {
            if pending.contains(.outdated) { logger.notice("events were lost, reading every inbox again") }
            return try rescan(at: now)
        }
        var seen: [(path: FilePath, identity: FileIdentity)] = []
        for event in pending {
            switch event {
            case .file(let path):
                if let identity = scanner.photograph(at: path) { seen.append((path, identity)) }
            case .folder(let folder):
                guard let inbox = configuration.watch.paths.first(where: folder.starts) else { continue }
                let contents = scanner.scan(folder: folder, in: inbox)
                watch(contents.folders)
                // What was written before the watch began raised no event.
                seen += contents.photographs
            case .outdated: break
            }
        }
        return try settle(note(seen, at: now), at: now)
    }

    /// Reads every inbox; true if photographs were queued.
    mutating func rescan(at now: Duration) throws -> Bool {
        let interval = configuration.watch.rescanInterval
        nextRescan = now + (watcher == nil ? min(interval, Self.pollInterval) : interval)
        var seen: [(path: FilePath, identity: FileIdentity)] = []
        var problems: Set<String> = []
        for inbox in configuration.watch.paths {
            var contents = scanner.scan(inbox)
            // Files that arrived between reading a folder and watching it are found by reading once more.
            if watch(contents.folders) { contents = scanner.scan(inbox) }
            seen += contents.photographs
            for problem in contents.problems {
                problems.insert("\(problem)")
                if !reported.contains("\(problem)") {
                    logger.warning("folder cannot be read", metadata: ["error": "\(problem)"])
                }
            }
        }
        reported = problems
        let changes = try note(seen, at: now)
        let queued = try settle(changes, at: now)
        if problems.isEmpty { try ledger.forgetSettling(except: tracker.paths) }
        return queued
    }

    /// Begins to watch folders; true if any was new.
    @discardableResult
    private mutating func watch(_ folders: [FilePath]) -> Bool {
        guard let watcher else { return false }
        var isNew = false
        for folder in folders {
            do {
                if try watcher.watch(folder) { isNew = true }
            } catch {
                if reported.insert("\(error)").inserted {
                    logger.warning("folder is read periodically", metadata: ["error": "\(error)"])
                }
            }
        }
        return isNew
    }

    /// Takes note of files that the ledger does not know in this state.
    private mutating func note(
        _ files: [(path: FilePath, identity: FileIdentity)], at now: Duration
    ) throws -> [IntakeChange] {
        let known = try ledger.sightings(of: files.map(\.path))
        let wallClock = Date()
        var changes: [IntakeChange] = []
        for (path, identity) in files {
            if let sighting = known[path], Self.isKnown(sighting, as: identity) { continue }
            let quiet = Self.quietTime(identity, at: wallClock)
            if tracker.observe(path, identity, at: now, quiet: quiet) { changes.append(.settling(path, identity)) }
        }
        return changes
    }

    /// Queues the files whose delay is over, and writes `changes` and these to the ledger in one transaction.
    private mutating func settle(_ changes: [IntakeChange], at now: Duration) throws -> Bool {
        var changes = changes
        var queued = 0
        for path in tracker.due(at: now) {
            guard let identity = scanner.photograph(at: path) else {
                if tracker.forget(path) { changes.append(.vanished(path)) }
                continue
            }
            if tracker.confirm(path, identity, at: now) {
                changes.append(.queued(path, identity))
                queued += 1
            } else {
                changes.append(.settling(path, identity))
            }
        }
        try ledger.apply(changes)
        if queued > 0 { logger.info("photographs queued", metadata: ["photographs": "\(queued)"]) }
        return queued > 0
    }

    /// A file that was given up because it had disappeared is news when it is back.
    static func isKnown(_ sighting: Sighting, as identity: FileIdentity) -> Bool {
        switch sighting.state {
        case .settling, .cancelled: false
        case .running, .verifying: true
        case .queued, .done, .skipped, .duplicate, .failed, .quarantined: sighting.identity == identity
        }
    }

    /// How long a file has stood still by its own times. Times in the future prove nothing.
    static func quietTime(_ identity: FileIdentity, at wallClock: Date) -> Duration {
        let latest = Double(max(identity.modified, identity.changed)) / 1e9
        return max(.zero, .seconds(wallClock.timeIntervalSince1970 - latest))
    }
}
