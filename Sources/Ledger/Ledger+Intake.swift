import Foundation
import GRDB
import SystemPackage

/// What the inbox did since the last look.
public enum IntakeChange: Sendable, Equatable {
    /// A file appeared or changed.
    case settling(FilePath, FileIdentity)
    /// A file has been still for long enough.
    case queued(FilePath, FileIdentity)
    /// A file disappeared before it was still.
    case vanished(FilePath)
}

extension Ledger {
    /// The latest row of each path, without those never seen.
    public func sightings(of paths: [FilePath]) throws -> [FilePath: Sighting] {
        try reading { database in
            var found: [FilePath: Sighting] = [:]
            for path in paths { found[path] = try Self.sighting(of: path, database) }
            return found
        }
    }

    /// Writes what the inbox did; photographs queue in the order given. After an error, the first of the changes may
    /// have been written: reading the inbox once more makes up for the others.
    ///
    /// Ten thousand files that arrive at once are no reason to lock readers out until all of them are written.
    public func apply(_ changes: [IntakeChange]) throws {
        for start in stride(from: 0, to: changes.count, by: Self.longestTransaction) {
            try writing { database in
                for change in changes[start..<min(start + Self.longestTransaction, changes.count)] {
                    switch change {
                    case .settling(let path, let identity): try record(path, identity, as: .settling, database)
                    case .queued(let path, let identity): try record(path, identity, as: .queued, database)
                    case .vanished(let path): try forget(path, database)
                    }
                }
            }
        }
    }

    /// Changes whose pages fit SQLite's cache: only then are readers kept away for no longer than the commit takes.
    static let longestTransaction = 500

    /// Forgets the files that were settling and are gone by what a full scan has shown.
    public func forgetSettling(where isGone: (FilePath) -> Bool) throws {
        let gone = try reading { database in
            try Data.fetchAll(database, sql: "SELECT source_path FROM photographs WHERE state = 'settling'")
        }.map(FilePath.init(bytes:)).filter(isGone)
        guard !gone.isEmpty else { return }
        try writing { database in
            for path in gone { try forget(path, database) }
        }
    }

    static func sighting(of path: FilePath, _ database: Database) throws -> Sighting? {
        let statement = try database.cachedStatement(
            sql: """
                SELECT id, state, size, modified_ns, changed_ns, inode FROM photographs
                WHERE source_path = ? ORDER BY id DESC LIMIT 1
                """)
        let row = try Row.fetchOne(statement, arguments: [path.bytes])
        guard let row, let state = PhotographState(rawValue: row["state"]) else { return nil }
        return Sighting(id: row["id"], state: state, identity: identity(row))
    }

    static func identity(_ row: Row) -> FileIdentity {
        FileIdentity(
            size: row["size"], modified: row["modified_ns"], changed: row["changed_ns"],
            inode: UInt64(bitPattern: row["inode"]))
    }

    private func record(
        _ path: FilePath, _ identity: FileIdentity, as state: PhotographState, _ database: Database
    ) throws {
        guard let earlier = try Self.sighting(of: path, database) else {
            return try insert(path, identity, as: state, database)
        }
        switch earlier.state {
        case .done, .skipped, .duplicate:
            try insert(path, identity, as: state, database)
        case .running, .verifying:
            // The worker notices by itself that the file changed under it.
            break
        case .settling, .queued, .failed, .quarantined, .cancelled:
            let statement = try database.cachedStatement(
                sql: """
                    UPDATE photographs SET state = ?, size = ?, modified_ns = ?, changed_ns = ?, inode = ?,
                        reason = NULL, finished_at = NULL, changed_at = ?,
                        queue_position = CASE WHEN ? THEN coalesce(queue_position, \(Self.lastPosition)) END
                    WHERE id = ?
                    """)
            try statement.execute(arguments: [
                state.rawValue, identity.size, identity.modified, identity.changed,
                Int64(bitPattern: identity.inode), Timestamp.text(now()), state == .queued, earlier.id,
            ])
            // Another state of the file is another chance.
            if earlier.identity != identity { try forgetFailures(earlier.id, database) }
        }
    }

    private func insert(
        _ path: FilePath, _ identity: FileIdentity, as state: PhotographState, _ database: Database
    ) throws {
        let moment = Timestamp.text(now())
        let statement = try database.cachedStatement(
            sql: """
                INSERT INTO photographs (source_path, source, size, modified_ns, changed_ns, inode, state, seen_at,
                    changed_at, queue_position)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, CASE WHEN ? THEN \(Self.lastPosition) END)
                """)
        try statement.execute(arguments: [
            path.bytes, path.string, identity.size, identity.modified, identity.changed,
            Int64(bitPattern: identity.inode), state.rawValue, moment, moment, state == .queued,
        ])
    }

    private func forget(_ path: FilePath, _ database: Database) throws {
        try database.execute(
            sql: """
                DELETE FROM photographs WHERE source_path = ? AND state = 'settling'
                    AND NOT EXISTS (SELECT 1 FROM attempts WHERE photograph_id = photographs.id)
                """, arguments: [path.bytes])
        let moment = Timestamp.text(now())
        try database.execute(
            sql: """
                UPDATE photographs SET state = 'cancelled', reason = 'the file disappeared before it was complete',
                    changed_at = ?, finished_at = ?
                WHERE source_path = ? AND state = 'settling'
                """, arguments: [moment, moment, path.bytes])
    }

    // A restriction by position, not by state, leaves SQLite no other index than the queue's.
    /// SQL for the place behind the last queued photograph.
    static let lastPosition =
        "(SELECT coalesce(max(queue_position), 0) + 1 FROM photographs WHERE queue_position IS NOT NULL)"
    /// SQL for the place before the first queued photograph.
    static let firstPosition =
        "(SELECT coalesce(min(queue_position), 0) - 1 FROM photographs WHERE queue_position IS NOT NULL)"
}
