import Foundation
import GRDB
import SystemPackage

/// The memory of the service: one SQLite file with a row for every photograph, its attempts, output and metrics.
///
/// The daemon is the only long-lived writer. Commits use a rollback journal with `synchronous = FULL`, so a
/// transaction that returned survives a power loss, and other processes read while the daemon writes.
public final class Ledger: Sendable {
    /// The ledger's name in the state folder.
    public static let fileName: FilePath.Component = "ledger.sqlite"

    /// The SQLite file.
    public let path: FilePath
    let database: DatabaseQueue
    let now: @Sendable () -> Date

    private init(path: FilePath, database: DatabaseQueue, now: @escaping @Sendable () -> Date) {
        self.path = path
        self.database = database
        self.now = now
    }

    /// Opens the ledger of a state folder for writing; creates or migrates it if needed.
    ///
    /// A ledger of an earlier version is backed up before it is migrated.
    ///
    /// - Parameters:
    ///   - folder: an existing folder on a local disk.
    ///   - patience: how long to wait for other programs that have the ledger locked.
    ///   - now: the wall clock for the ledger's timestamps.
    /// - Throws: `LedgerError` if the file is not a ledger, is newer than this program, is damaged or out of reach.
    public static func open(
        in folder: FilePath, patience: Duration = .seconds(5), now: @escaping @Sendable () -> Date = { Date() }
    ) throws -> Ledger {
        let path = folder.appending(fileName)
        return try LedgerError.translating(path) {
            let queue = try DatabaseQueue(path: path.string, configuration: configuration(patience: patience))
            let ledger = Ledger(path: path, database: queue, now: now)
            let version = try queue.read { try identify($0, path: path) }
            try queue.writeWithoutTransaction {
                try $0.execute(sql: "PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = FULL")
            }
            if version < Schema.currentVersion {
                if version > 0 { _ = try ledger.backUp(label: "v\(version)") }
                try queue.writeWithoutTransaction { try migrate($0, path: path) }
            }
            // Changes nothing: a file that cannot be written is found now, not by the first photograph.
            try queue.write { try $0.execute(sql: "DELETE FROM photographs WHERE 0") }
            return ledger
        }
    }

    /// Opens an existing ledger for questions only; safe while the daemon writes.
    ///
    /// - Throws: `LedgerError`, with the code `missing` if the folder has no ledger.
    public static func openForReading(in folder: FilePath) throws -> Ledger {
        let path = folder.appending(fileName)
        guard path.withPlatformString({ access($0, F_OK) }) == 0 else { throw missing(path) }
        return try LedgerError.translating(path) {
            let queue = try readingQueue(path)
            return Ledger(path: path, database: queue, now: { Date() })
        }
    }

    /// Checks the structure of every page, and the schema.
    ///
    /// - Parameter isThorough: also whether each index holds what its table holds, which takes several times as long.
    /// - Throws: `LedgerError` with the code `corrupt`, naming the first contradiction.
    public func check(isThorough: Bool = false) throws {
        try reading { try Self.check($0, path: path, isThorough: isThorough) }
    }

    private static func check(_ database: Database, path: FilePath, isThorough: Bool = false) throws {
        let pragma = isThorough ? "integrity_check" : "quick_check"
        let answer = try String.fetchOne(database, sql: "PRAGMA \(pragma)(1)") ?? "no answer"
        guard answer == "ok" else { throw LedgerError(damaged: path, answer) }
        _ = try identify(database, path: path)
    }

    /// SQLite's version, as "3.40.1".
    public func libraryVersion() throws -> String {
        try reading { try String.fetchOne($0, sql: "SELECT sqlite_version()") ?? "unknown" }
    }

    /// Closes the file; the ledger cannot be used afterwards.
    public func close() throws {
        try LedgerError.translating(path) { try database.close() }
    }

    func reading<Value>(_ body: (Database) throws -> Value) throws -> Value {
        try LedgerError.translating(path) { try database.read(body) }
    }

    func writing<Value>(_ body: (Database) throws -> Value) throws -> Value {
        try LedgerError.translating(path) { try database.write(body) }
    }
}

extension Ledger {
    private static func configuration(
        readOnly: Bool = false, queryOnly: Bool = false, patience: Duration = .seconds(5)
    ) -> Configuration {
        var configuration = Configuration()
        configuration.readonly = readOnly
        configuration.busyMode = .timeout(patience / .seconds(1))
        configuration.prepareDatabase { database in
            try database.execute(
                sql: "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0")
            if queryOnly { try database.execute(sql: "PRAGMA query_only = ON") }
        }
        return configuration
    }

    /// A journal that a killed daemon left behind must be rolled back before anyone reads, and that takes a
    /// connection that may write; `query_only` then keeps it from changing anything else.
    private static func readingQueue(_ path: FilePath) throws -> DatabaseQueue {
        do {
            let queue = try DatabaseQueue(path: path.string, configuration: configuration(readOnly: true))
            try requireSchema(queue, path: path)
            return queue
        } catch let error as DatabaseError where error.resultCode == .SQLITE_READONLY {
            let queue = try DatabaseQueue(path: path.string, configuration: configuration(queryOnly: true))
            try requireSchema(queue, path: path)
            return queue
        }
    }

    /// The schema's version of the ledger at `path`, which must be whole.
    ///
    /// - Throws: `LedgerError`.
    static func verify(_ path: FilePath) throws -> Int {
        try LedgerError.translating(path) {
            let queue = try DatabaseQueue(path: path.string, configuration: configuration(readOnly: true))
            defer { try? queue.close() }
            return try queue.read { database in
                let version = try identify(database, path: path)
                guard version > 0 else { throw missing(path) }
                try check(database, path: path)
                return version
            }
        }
    }

    /// A daemon that was killed in its first moment leaves an empty file.
    private static func requireSchema(_ queue: DatabaseQueue, path: FilePath) throws {
        guard try queue.read({ try identify($0, path: path) }) > 0 else { throw missing(path) }
    }

    private static func missing(_ path: FilePath) -> LedgerError {
        LedgerError(
            .missing, subject: path.string, cause: "there is no ledger here",
            remedy: "name the state folder with --state, or start the daemon once")
    }

    /// The version of the schema, which is whole; 0 for an empty file. Inside a transaction, so that no migration comes
    /// between the version and the schema.
    ///
    /// - Throws: `LedgerError`.
    private static func identify(_ database: Database, path: FilePath) throws -> Int {
        let application = try Int32.fetchOne(database, sql: "PRAGMA application_id") ?? 0
        let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        let isEmpty = try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_schema") == 0
        if application == 0, version == 0, isEmpty { return 0 }
        guard application == Schema.applicationID else {
            if try Schema.contradiction(in: database, version: Schema.currentVersion) == nil {
                throw LedgerError(damaged: path, "its header names another program")
            }
            throw LedgerError(
                .foreign, subject: path.string, cause: "the database belongs to another program",
                remedy: "choose another state folder, or move the file away")
        }
        guard version <= Schema.currentVersion else {
            throw LedgerError(
                .newer, subject: path.string,
                cause: "the ledger has version \(version), this program knows version \(Schema.currentVersion)",
                remedy: "install the newer denoised again")
        }
        guard version >= 0 else { throw LedgerError(damaged: path, "its header says version \(version)") }
        if let contradiction = try Schema.contradiction(in: database, version: version) {
            throw LedgerError(damaged: path, contradiction)
        }
        return version
    }

    private static func migrate(_ database: Database, path: FilePath) throws {
        try database.inTransaction(.immediate) {
            // Another process may have migrated while this one waited for the lock.
            let version = try identify(database, path: path)
            for script in Schema.migrations.dropFirst(version) { try database.execute(sql: script) }
            try database.execute(sql: "PRAGMA application_id = \(Schema.applicationID)")
            try database.execute(sql: "PRAGMA user_version = \(Schema.currentVersion)")
            return .commit
        }
    }
}
