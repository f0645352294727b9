import Foundation
import SystemPackage

/// What was done about a damaged ledger.
public struct LedgerRescue: Sendable, Equatable, CustomStringConvertible {
    /// What SQLite found.
    public var damage: String
    /// Where the damaged file lies now.
    public var movedTo: FilePath
    /// The backup that took its place; nil if there was none, and the ledger began anew.
    public var restored: LedgerBackup?

    public var description: String {
        let kept = "the damaged ledger (\(damage)) is kept as \(movedTo)"
        guard let restored else { return "\(kept); there was no backup, so a new ledger begins" }
        return "\(kept); the backup \(restored.path) took its place, and what was denoised since is recognised by its "
            + "outputs"
    }
}

extension Ledger {
    /// Opens the ledger as `open` does and checks it; a damaged one is moved aside, never deleted, and replaced by the
    /// newest backup that is whole. Only for whoever holds the state folder's lock.
    ///
    /// - Returns: also what was done about damage, which must be said loudly; nil if there was none.
    /// - Throws: `LedgerError`.
    public static func openOrRescue(
        in folder: FilePath, patience: Duration = .seconds(60), now: @escaping @Sendable () -> Date = { Date() }
    ) throws -> (ledger: Ledger, rescue: LedgerRescue?) {
        do {
            if isEmpty(folder), !backups(in: folder).isEmpty {
                throw LedgerError(
                    .corrupt, subject: folder.appending(fileName).string, cause: "the database is empty",
                    remedy: "restore a backup")
            }
            let ledger = try open(in: folder, patience: patience, now: now)
            do {
                let isDue = isSmall(folder) || isThoroughCheckDue(in: folder, at: now())
                isDue ? try ledger.checkThoroughly() : try ledger.check()
            } catch {
                try? ledger.close()
                throw error
            }
            return (ledger, nil)
        } catch let error as LedgerError where error.code == .corrupt || error.code == .notALedger {
            let moved = try moveAside(folder, now())
            let backup = try restore(folder)
            return (
                try open(in: folder, patience: patience, now: now),
                LedgerRescue(damage: error.cause, movedTo: moved, restored: backup)
            )
        }
    }

    private static func isEmpty(_ folder: FilePath) -> Bool {
        let attributes = try? FileManager.default.attributesOfItem(atPath: folder.appending(fileName).string)
        return attributes?[.size] as? Int == 0
    }

    /// The journal belongs to the file and goes with it.
    private static func moveAside(_ folder: FilePath, _ moment: Date) throws -> FilePath {
        let style = Date.ISO8601FormatStyle(dateSeparator: .omitted, timeSeparator: .omitted)
        let base = "ledger.corrupt-\(moment.formatted(style))"
        let name = (1...1000).lazy.map { $0 == 1 ? base : "\(base)-\($0)" }
            .first { !FileManager.default.fileExists(atPath: folder.appending($0).string) }
        let target = folder.appending(name ?? base)
        for suffix in ["-journal", "-wal", "-shm", ""] {
            let from = FilePath(folder.appending(fileName).string + suffix)
            let to = FilePath(target.string + suffix)
            let result = from.withPlatformString { from in to.withPlatformString { rename(from, $0) } }
            guard result == 0 || errno == ENOENT else {
                throw failed(to, Errno(rawValue: errno))
            }
        }
        return target
    }

    /// The newest whole backup under the ledger's name.
    private static func restore(_ folder: FilePath) throws -> LedgerBackup? {
        let final = folder.appending(fileName)
        let temporary = folder.appending(".ledger.part")
        for backup in backups(in: folder) {
            guard (try? verify(backup.path)) != nil else { continue }
            _ = temporary.withPlatformString { unlink($0) }
            do {
                try FileManager.default.copyItem(atPath: backup.path.string, toPath: temporary.string)
                try publish(temporary, as: final)
            } catch {
                throw failed(final, error)
            }
            return backup
        }
        return nil
    }
}
