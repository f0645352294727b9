import Foundation
import GRDB
import SystemPackage

/// What became of a photograph whose content is known.
public enum Claim: Sendable, Equatable {
    /// The row is `running`, and this attempt is on record.
    case started(attempt: Int)
    /// The row is `duplicate`: another photograph has this content and recipe.
    case duplicate(of: Int64)
    /// The row is gone: the same path was denoised before and its file was touched only.
    case unchanged(since: Int64)
    /// The row is `skipped`: the file is the output of a photograph.
    case output(of: Int64)
    /// The row no longer waits: the file changed since it was queued, or someone else dealt with it.
    case withdrawn
}

/// How an attempt ended without an output and without blame.
public enum Setback: Sendable, Equatable {
    /// The file changed meanwhile; the row becomes `settling`.
    case changed
    /// The service stopped; the row returns to the head of the queue.
    case abandoned
    /// Nothing can be done at present, for example for lack of space; the row returns to the head of the queue.
    case postponed(reason: String)
}

extension Ledger {
    /// The photograph that has waited longest, nil if none waits.
    ///
    /// - Parameter folders: photographs in these folders are passed over, as those of a share that is not mounted.
    public func nextQueued(outside folders: [FilePath] = []) throws -> QueuedPhotograph? {
        try reading { database in
            let prefixes = folders.map { $0.bytes + Data("/".utf8) }
            let conditions = prefixes.map { _ in "AND substr(source_path, 1, ?) <> ?" }.joined(separator: " ")
            let row = try Row.fetchOne(
                database,
                sql: """
                    SELECT id, source_path, size, modified_ns, changed_ns, inode FROM photographs
                    WHERE queue_position IS NOT NULL \(conditions) ORDER BY queue_position LIMIT 1
                    """,
                arguments: StatementArguments(prefixes.flatMap { [$0.count, $0] as [any DatabaseValueConvertible] }))
            return row.map {
                QueuedPhotograph(id: $0["id"], path: FilePath(bytes: $0["source_path"]), identity: Self.identity($0))
            }
        }
    }

    /// Decides what a queued photograph needs now that its content is known, and records it before any work.
    public func claim(
        _ id: Int64, contentHash: String, identity: FileIdentity, recipe: Recipe
    ) throws -> Claim {
        try writing { database in
            let path = try Data.fetchOne(
                database, sql: "SELECT source_path FROM photographs WHERE id = ? AND state = 'queued'",
                arguments: [id])
            guard let path else { return .withdrawn }
            if let original = try Int64.fetchOne(
                database, sql: "SELECT photograph_id FROM outputs WHERE hash = ?", arguments: [contentHash])
            {
                try close(id, as: .skipped, reason: "the file is the output of photograph \(original)", database)
                return .output(of: original)
            }
            let model = try modelID(recipe, database)
            try setContent(id, contentHash, identity, recipe, model, database)
            if let twin = try twin(contentHash, recipe, database) {
                return try settle(id, path: path, twin: twin, identity: identity, database)
            }
            return .started(attempt: try start(id, database))
        }
    }

    /// Ends the running attempt of `id` without an output.
    public func setBack(_ id: Int64, _ setback: Setback) throws {
        try writing { database in
            switch setback {
            case .changed:
                try endAttempt(id, outcome: "changed", reason: nil, database)
                try database.execute(
                    sql:
                        "UPDATE photographs SET state = 'settling', queue_position = NULL, changed_at = ? WHERE id = ?",
                    arguments: [Timestamp.text(now()), id])
                try forgetFailures(id, database)
            case .abandoned: try putBack(id, reason: nil, database)
            case .postponed(let reason): try putBack(id, reason: reason, database)
            }
            try database.execute(
                sql: "DELETE FROM outputs WHERE photograph_id = ? AND published_at IS NULL", arguments: [id])
        }
    }

    /// Ends a photograph that is none, or whose file is gone; does nothing if it is no longer waited for.
    ///
    /// - Parameter state: `skipped` or `cancelled`.
    public func giveUp(_ id: Int64, as state: PhotographState, reason: String) throws {
        try writing { database in
            let isOpen = try Bool.fetchOne(
                database,
                sql: "SELECT state IN ('queued', 'running', 'verifying') FROM photographs WHERE id = ?",
                arguments: [id])
            guard isOpen == true else { return }
            try endAttempt(id, outcome: "failed", reason: reason, database)
            try close(id, as: state, reason: reason, database)
            try database.execute(
                sql: "DELETE FROM outputs WHERE photograph_id = ? AND published_at IS NULL", arguments: [id])
        }
    }

    /// A running photograph, or one that still waits, becomes the first of the queue.
    private func putBack(_ id: Int64, reason: String?, _ database: Database) throws {
        try endAttempt(id, outcome: "abandoned", reason: reason, database)
        try database.execute(
            sql: """
                UPDATE photographs SET state = 'queued', queue_position = \(Self.firstPosition), reason = NULL,
                    changed_at = ?
                WHERE id = ? AND state IN ('queued', 'running', 'verifying')
                """, arguments: [Timestamp.text(now()), id])
    }

    func modelID(_ recipe: Recipe, _ database: Database) throws -> Int64 {
        try database.execute(
            sql: "INSERT INTO models (name, hash, first_used_at) VALUES (?, ?, ?) ON CONFLICT (name, hash) DO NOTHING",
            arguments: [recipe.modelName, recipe.modelHash, Timestamp.text(now())])
        let id = try Int64.fetchOne(
            database, sql: "SELECT id FROM models WHERE name = ? AND hash = ?",
            arguments: [recipe.modelName, recipe.modelHash])
        guard let id else {
            throw DatabaseError(resultCode: .SQLITE_CONSTRAINT, message: "the model's row disappeared")
        }
        return id
    }

    private func setContent(
        _ id: Int64, _ hash: String, _ identity: FileIdentity, _ recipe: Recipe, _ model: Int64, _ database: Database
    ) throws {
        try database.execute(
            sql: """
                UPDATE photographs SET content_hash = ?, recipe_hash = ?, model_id = ?, preset = ?,
                    size = ?, modified_ns = ?, changed_ns = ?, inode = ?
                WHERE id = ?
                """,
            arguments: [
                hash, recipe.hash, model, recipe.preset, identity.size, identity.modified, identity.changed,
                Int64(bitPattern: identity.inode), id,
            ])
    }

    private func twin(_ contentHash: String, _ recipe: Recipe, _ database: Database) throws -> Row? {
        try Row.fetchOne(
            database,
            sql: """
                SELECT id, source_path FROM photographs
                WHERE content_hash = ? AND recipe_hash = ? AND state IN ('running', 'verifying', 'done')
                """, arguments: [contentHash, recipe.hash])
    }

    private func settle(
        _ id: Int64, path: Data, twin: Row, identity: FileIdentity, _ database: Database
    ) throws -> Claim {
        let original: Int64 = twin["id"]
        let hasHistory = try Bool.fetchOne(
            database, sql: "SELECT EXISTS (SELECT 1 FROM attempts WHERE photograph_id = ?)", arguments: [id])
        if twin["source_path"] == path, hasHistory != true {
            try database.execute(sql: "DELETE FROM photographs WHERE id = ?", arguments: [id])
            try database.execute(
                sql: "UPDATE photographs SET size = ?, modified_ns = ?, changed_ns = ?, inode = ? WHERE id = ?",
                arguments: [
                    identity.size, identity.modified, identity.changed, Int64(bitPattern: identity.inode), original,
                ])
            return .unchanged(since: original)
        }
        try database.execute(
            sql: """
                UPDATE photographs SET state = 'duplicate', duplicate_of = ?, reason = ?, queue_position = NULL,
                    changed_at = ?, finished_at = ?
                WHERE id = ?
                """,
            arguments: [
                original, "same content and recipe as photograph \(original)", Timestamp.text(now()),
                Timestamp.text(now()), id,
            ])
        return .duplicate(of: original)
    }

    private func start(_ id: Int64, _ database: Database) throws -> Int {
        let moment = Timestamp.text(now())
        try database.execute(
            sql: """
                UPDATE photographs SET state = 'running', queue_position = NULL, reason = NULL, changed_at = ?,
                    started_at = ?
                WHERE id = ?
                """, arguments: [moment, moment, id])
        let attempt = try Int.fetchOne(
            database, sql: "SELECT coalesce(max(number), 0) + 1 FROM attempts WHERE photograph_id = ?",
            arguments: [id])
        try database.execute(
            sql: "INSERT INTO attempts (photograph_id, number, started_at) VALUES (?, ?, ?)",
            arguments: [id, attempt, moment])
        return attempt ?? 1
    }

    func endAttempt(_ id: Int64, outcome: String, reason: String?, _ database: Database) throws {
        try database.execute(
            sql: """
                UPDATE attempts SET outcome = ?, reason = ?, finished_at = ?
                WHERE photograph_id = ? AND outcome IS NULL
                """, arguments: [outcome, reason, Timestamp.text(now()), id])
    }

    func close(_ id: Int64, as state: PhotographState, reason: String?, _ database: Database) throws {
        let moment = Timestamp.text(now())
        try database.execute(
            sql: """
                UPDATE photographs SET state = ?, reason = ?, queue_position = NULL, changed_at = ?, finished_at = ?
                WHERE id = ?
                """, arguments: [state.rawValue, reason, moment, moment, id])
    }

    func unknown(_ id: Int64) -> LedgerError {
        LedgerError(
            .unknownPhotograph, subject: "photograph \(id)", cause: "the ledger has no photograph of that number",
            remedy: "see `denoised history` for the numbers")
    }
}
