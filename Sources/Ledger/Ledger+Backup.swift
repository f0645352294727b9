import Foundation
import GRDB
import SystemPackage

/// A verified copy of the ledger.
public struct LedgerBackup: Sendable, Equatable {
    public var path: FilePath
    /// When it was made, by its name.
    public var madeAt: Date
    /// What it was made for, as "v1"; nil for the daily ones.
    var label: String?

    /// "ledger-20260131T100000Z.sqlite", "ledger-20260131T100000Z-v1.sqlite"; nil for other files.
    init?(_ path: FilePath) {
        guard let name = path.lastComponent?.string,
            let match = name.wholeMatch(of: /ledger-(\d{8}T\d{6}Z)(?:-([a-z0-9]+))?\.sqlite/),
            let date = try? Date(String(match.1), strategy: Self.style)
        else { return nil }
        self.path = path
        madeAt = date
        label = match.2.map(String.init)
    }

    static func name(_ date: Date, label: String?) -> String {
        "ledger-\(date.formatted(style))\(label.map { "-\($0)" } ?? "").sqlite"
    }

    private static let style = Date.ISO8601FormatStyle(dateSeparator: .omitted, timeSeparator: .omitted)
}

extension Ledger {
    /// The folder of backups inside the state folder.
    public static let backupFolder: FilePath.Component = "backups"
    /// So many daily backups are kept; those made before a migration stay.
    static let dailyBackups = 7

    /// The backups of a state folder, newest first.
    public static func backups(in folder: FilePath) -> [LedgerBackup] {
        let folder = folder.appending(backupFolder)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.string)) ?? []
        return names.compactMap { LedgerBackup(folder.appending($0)) }
            .sorted { ($0.madeAt, $0.path.string) > ($1.madeAt, $1.path.string) }
    }

    /// Makes a copy, checks it, and gives it its name durably; then removes the oldest of the daily ones.
    ///
    /// - Throws: `LedgerError`; then there is no new backup, and no old one was removed.
    @discardableResult
    public func backUp(label: String? = nil) throws -> LedgerBackup {
        let folder = path.removingLastComponent().appending(Self.backupFolder)
        let final = folder.appending(LedgerBackup.name(now(), label: label))
        let temporary = folder.appending(".backup.part")
        do {
            try FileManager.default.createDirectory(
                atPath: folder.string, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            _ = temporary.withPlatformString { unlink($0) }
            try LedgerError.translating(path) {
                try database.writeWithoutTransaction { database in
                    try database.execute(sql: "VACUUM INTO ?", arguments: [temporary.string])
                }
            }
            _ = try Self.verify(temporary)
            try publish(temporary, as: final)
        } catch {
            _ = temporary.withPlatformString { unlink($0) }
            throw error as? LedgerError ?? Self.failed(final, error)
        }
        for old in Self.backups(in: path.removingLastComponent()).filter({ $0.label == nil })
            .dropFirst(Self.dailyBackups)
        {
            _ = old.path.withPlatformString { unlink($0) }
        }
        guard let backup = LedgerBackup(final) else { throw Self.failed(final, Errno.invalidArgument) }
        return backup
    }

    static func failed(_ path: FilePath, _ error: any Error) -> LedgerError {
        LedgerError(
            .inaccessible, subject: path.string, cause: "the backup cannot be written (\(error))",
            remedy: "check the state folder's permissions and free space")
    }
}

/// Makes the complete file `temporary` durable under the name `final` in the same folder.
///
/// - Throws: `Errno`.
func publish(_ temporary: FilePath, as final: FilePath) throws {
    try synchronize(temporary, [])
    guard temporary.withPlatformString({ from in final.withPlatformString { rename(from, $0) } }) == 0 else {
        throw Errno(rawValue: errno)
    }
    try synchronize(final.removingLastComponent(), .directory)
}

private func synchronize(_ path: FilePath, _ options: FileDescriptor.OpenOptions) throws {
    let file = try FileDescriptor.open(path, .readOnly, options: options.union(.closeOnExec))
    try file.closeAfter {
        guard fsync(file.rawValue) == 0 else { throw Errno(rawValue: errno) }
    }
}
