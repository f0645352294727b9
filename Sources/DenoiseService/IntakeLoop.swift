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
    private let locks: InboxLocks?
    private var tracker = StabilityTracker()
    private var watcher: (any FolderWatching)?
    private var inboxes: [WatchedInbox]
    private var reported: [FilePath: Set<String>] = [:]
    /// Links and the like that were spoken of and are still there, by inbox.
    private var irregular: [FilePath: Set<FilePath>] = [:]
    private var events: [DirectoryWatcher.Event] = []
    /// Why inboxes are polled although their file systems report changes.
    private(set) var watchProblem: String?

    /// - Parameters:
    ///   - watches: false for one look only.
    ///   - locks: keeps other daemons away from the inboxes; nil does not.
    ///   - mounts: what the inboxes lie on.
    ///   - makeWatcher: takes whether new folders are of interest.
    init(
        _ configuration: Configuration, ledger: Ledger, logger: Logger, watches: Bool, locks: InboxLocks? = nil,
        mounts: MountTable = .current(),
        makeWatcher: (Bool) throws -> any FolderWatching = { try DirectoryWatcher(watchingFolders: $0) }
    ) {
        self.configuration = configuration
        self.ledger = ledger
        self.logger = logger
        self.locks = locks
        scanner = InboxScanner(configuration)
        inboxes = configuration.watch.paths.map { WatchedInbox($0, configuration.watch, mounts.kind(of: $0)) }
        guard watches, inboxes.contains(where: { $0.backend == .events }) else { return }
        do {
            watcher = try makeWatcher(configuration.watch.isRecursive)
        } catch {
            for index in inboxes.indices { poll(index, since: error) }
        }
    }

    /// Whether no file is waiting to be complete.
    var isSettled: Bool { tracker.isEmpty }

    /// The longest time that a file must stand still.
    var longestDelay: Duration { inboxes.map(\.delay).max() ?? .zero }

    var statuses: [InboxStatus] { inboxes.map(\.status) }

    /// Everything is read again at the next step.
    mutating func invalidate() {
        for index in inboxes.indices { inboxes[index].nextRead = .zero }
    }

    /// Waits until something happens or is due.
    mutating func wait(at now: Duration, wakeUp: WakeUp) {
        let next = inboxes.map(\.nextRead).min() ?? now
        let pause = max(min(next, tracker.deadline ?? next) - now, .milliseconds(10))
        if let watcher {
            events += watcher.wait(atMost: pause, wakeUp: wakeUp)
        } else {
            wakeUp.wait(atMost: pause)
        }
    }

    /// Reads every inbox; true if photographs were queued.
    mutating func rescan(at now: Duration) throws -> Bool {
        invalidate()
        return try step(at: now)
    }

    /// Handles what happened and what is due; true if photographs were queued.
    mutating func step(at now: Duration) throws -> Bool {
        events += watcher?.read() ?? []
        let pending = events
        events = []
        var seen: [Seen] = []
        for event in pending {
            switch event {
            case .file(let path):
                if let inbox = inbox(of: path), let identity = scanner.photograph(at: path) {
                    seen.append(Seen(path: path, identity: identity, inbox: inbox))
                }
            case .folder(let folder):
                guard let inbox = inbox(of: folder) else { continue }
                let contents = scanner.scan(folder: folder, in: inboxes[inbox].path)
                watch(contents.folders, of: inbox, at: now)
                // What was written before the watch began raised no event.
                seen += contents.photographs.map { Seen(path: $0.path, identity: $0.identity, inbox: inbox) }
            case .gone(let folder):
                if let inbox = inboxes.firstIndex(where: { $0.path == folder }) { inboxes[inbox].nextRead = now }
            case .outdated:
                logger.notice("events were lost, reading every inbox again")
                invalidate()
            }
        }
        var complete: [FilePath] = []
        for index in inboxes.indices where now >= inboxes[index].nextRead {
            let found = read(index, at: now)
            seen += found.seen
            if found.isComplete { complete.append(inboxes[index].path) }
        }
        let queued = try settle(note(seen, at: now), at: now)
        if !complete.isEmpty {
            let known = tracker.paths
            try ledger.forgetSettling { path in
                !known.contains(path) && (complete.contains { path.starts(with: $0) } || inbox(of: path) == nil)
            }
        }
        return queued
    }
}

/// A file that was seen, and the inbox that it lies in.
private struct Seen {
    var path: FilePath
    var identity: FileIdentity
    var inbox: Int
}

extension IntakeLoop {
    private func inbox(of path: FilePath) -> Int? {
        inboxes.indices.filter { path.starts(with: inboxes[$0].path) }
            .max { inboxes[$0].path.length < inboxes[$1].path.length }
    }

    /// Reads an inbox from end to end, or finds that it is not there.
    private mutating func read(_ index: Int, at now: Duration) -> (seen: [Seen], isComplete: Bool) {
        let inbox = inboxes[index].path
        let interval =
            inboxes[index].backend == .poll || inboxes[index].isAway
            ? configuration.watch.pollInterval : configuration.watch.rescanInterval
        inboxes[index].nextRead = now + min(interval, configuration.watch.rescanInterval)
        do {
            try inboxes[index].lookUp()
            try locks?.take(inbox)
        } catch {
            leave(index, error, at: now)
            return ([], false)
        }
        var contents = scanner.scan(inbox)
        // Files that arrived between reading a folder and watching it are found by reading once more.
        if watch(contents.folders, of: index, at: now) { contents = scanner.scan(inbox) }
        report(contents.problems, of: inbox)
        report(irregular: contents.irregular, of: inbox)
        if inboxes[index].isAway {
            inboxes[index].isAway = false
            logger.notice("inbox is back", metadata: ["inbox": "\(inbox)"])
        }
        let seen = contents.photographs.map { Seen(path: $0.path, identity: $0.identity, inbox: index) }
        return (seen, contents.problems.isEmpty)
    }

    /// An inbox that is not there is a share that will be back: nothing of what was in it is forgotten.
    private mutating func leave(_ index: Int, _ error: any Error, at now: Duration) {
        let inbox = inboxes[index].path
        let problem = error as? ServiceError ?? .inaccessible(inbox, "read the inbox", error as? Errno ?? .ioError)
        report([problem], of: inbox)
        inboxes[index].isAway = true
        inboxes[index].nextRead = now + min(configuration.watch.pollInterval, configuration.watch.rescanInterval)
        locks?.release(inbox)
        for path in tracker.paths where self.inbox(of: path) == index { _ = tracker.forget(path) }
    }

    private mutating func report(_ problems: [ServiceError], of inbox: FilePath) {
        let texts = Set(problems.map { "\($0)" })
        for problem in texts.subtracting(reported[inbox] ?? []).sorted() {
            logger.warning("folder cannot be read", metadata: ["error": "\(problem)"])
        }
        reported[inbox] = texts
    }

    /// Each is spoken of once as long as it is there; a folder full of them is summed up.
    private mutating func report(irregular paths: [FilePath], of inbox: FilePath) {
        let news = paths.filter { irregular[inbox]?.contains($0) != true }
        for path in news.prefix(Self.longestList) {
            logger.notice(
                "not a photograph itself: links, pipes and devices are passed over",
                metadata: ["file": "\(printable(path.string))"])
        }
        if news.count > Self.longestList {
            logger.notice(
                "more links, pipes and devices are passed over",
                metadata: ["inbox": "\(printable(inbox.string))", "files": "\(news.count - Self.longestList)"])
        }
        irregular[inbox] = Set(paths)
    }

    /// So many lines at most for one reading of an inbox.
    private static let longestList = 20

    /// Begins to watch folders; true if any was new.
    @discardableResult
    private mutating func watch(_ folders: [FilePath], of index: Int, at now: Duration) -> Bool {
        guard let watcher, inboxes[index].backend == .events else { return false }
        var isNew = false
        for folder in folders {
            do {
                if try watcher.watch(folder) { isNew = true }
            } catch {
                poll(index, since: error)
                inboxes[index].nextRead = min(inboxes[index].nextRead, now + configuration.watch.pollInterval)
                return isNew
            }
        }
        return isNew
    }

    private mutating func poll(_ index: Int, since error: any Error) {
        guard inboxes[index].backend == .events else { return }
        inboxes[index].backend = .poll
        watchProblem = "\(inboxes[index].path) is polled: \(error)"
    }

    /// Takes note of files that the ledger does not know in this state.
    private mutating func note(_ files: [Seen], at now: Duration) throws -> [IntakeChange] {
        let known = try ledger.sightings(of: files.map(\.path))
        let wallClock = Date()
        var changes: [IntakeChange] = []
        for file in files {
            if let sighting = known[file.path], Self.isKnown(sighting, as: file.identity) { continue }
            let inbox = inboxes[file.inbox]
            // Times on a network share are another machine's, seen through a cache.
            let quiet = inbox.kind.isNetwork ? .zero : Self.quietTime(file.identity, at: wallClock)
            if tracker.observe(file.path, file.identity, at: now, quiet: quiet, delay: inbox.delay) {
                changes.append(.settling(file.path, file.identity))
            }
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
