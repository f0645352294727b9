import Foundation
import Ledger
import Logging
import ServiceLifecycle
import SystemPackage

/// Backs the ledger up once a day, checks it thoroughly once a week, and forgets what is older than the configuration
/// wants remembered.
struct Housekeeper: Service {
    let live: LiveSettings
    let ledger: Ledger
    let progress: ServiceProgress
    let logger: Logger
    let time: MonotonicTime
    var wallClock: @Sendable () -> Date = { Date() }

    static let interval = Duration.seconds(86400)
    /// After a failure it is tried again sooner.
    static let pause = Duration.seconds(3600)

    func run() async throws {
        var next = time() + firstPause()
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            let now = time()
            if now >= next { next = now + (try await perform() ? Self.interval : Self.pause) }
            try? await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(60)) }
        }
    }

    /// Time until the newest backup is a day old; a backup of the future counts as one of now.
    func firstPause() -> Duration {
        guard let newest = Ledger.backups(in: live.current.configuration.state).first else { return .zero }
        let age = Duration.seconds(max(wallClock().timeIntervalSince(newest.madeAt), 0))
        return max(Self.interval - age, .zero)
    }

    private func perform() async throws -> Bool {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try keepHouse() }) }
        }
    }

    /// One round; false if it must be tried again soon.
    ///
    /// - Throws: `ServiceError` for a damaged ledger: the daemon must not go on with one. Its next start puts the
    ///   newest backup in its place.
    func keepHouse() throws -> Bool {
        do {
            if Ledger.isThoroughCheckDue(in: live.current.configuration.state, at: wallClock()) {
                try ledger.checkThoroughly()
                logger.info("ledger checked")
            }
            try prune()
            let backup = try ledger.backUp()
            logger.info("ledger backed up", metadata: ["backup": "\(backup.path)"])
            progress.warn("backup", nil)
            return true
        } catch let error as LedgerError where error.code == .corrupt {
            throw ServiceError(
                .damagedLedger, subject: error.subject, cause: error.cause,
                remedy: "start the service again: the newest whole backup takes its place")
        } catch {
            progress.warn("backup", "\(error)")
            return false
        }
    }

    /// Forgets photographs that ended long ago and left their inbox. A row whose file is still there stays, or the file
    /// would be denoised again; so do all rows of an inbox that is away, whose files only seem to be gone.
    private func prune() throws {
        let configuration = live.current.configuration
        guard let keep = configuration.history.keep else { return }
        let away = progress.snapshot.away
        let present = configuration.watch.paths.filter { !away.contains($0) }
        let old = try ledger.finished(before: wallClock() - keep / .seconds(1))
        let gone = old.filter { row in
            let isCertain =
                present.contains { row.path.starts(with: $0) }
                || !configuration.watch.paths.contains { row.path.starts(with: $0) }
            return isCertain && Self.isGone(row.path)
        }
        try ledger.forget(gone.map(\.id))
        if !gone.isEmpty { logger.info("history pruned", metadata: ["photographs": "\(gone.count)"]) }
    }

    private static func isGone(_ path: FilePath) -> Bool {
        do {
            _ = try FileStatus.of(path)
            return false
        } catch {
            return error == .noSuchFileOrDirectory
        }
    }
}
