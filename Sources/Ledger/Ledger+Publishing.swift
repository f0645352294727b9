import Foundation
import GRDB
import SystemPackage

/// An output whose publication was not confirmed.
public struct PendingOutput: Sendable, Equatable {
    public var id: Int64
    /// The final name that was chosen for it.
    public var path: FilePath
    /// SHA-256 of the file, as lowercase hexadecimal.
    public var hash: String
}

/// What was found when the ledger was taken over from a daemon that did not end cleanly.
public struct Recovery: Sendable, Equatable {
    /// Photographs that went back to the head of the queue.
    public var requeued: [Int64] = []
    /// Photographs set aside because every attempt ended the daemon.
    public var quarantined: [Int64] = []
    /// Outputs that may or may not have reached their final name; the caller decides each with `finish` or `setBack`.
    public var pending: [PendingOutput] = []
}

extension Ledger {
    /// Records under which final name an output will appear; the photograph becomes `verifying`.
    ///
    /// - Parameter recipe: what it was made with, where the photograph's camera led to another than was claimed.
    public func prepare(_ id: Int64, output: OutputRecord, recipe: Recipe? = nil) throws {
        try writing { database in
            try record(output, of: id, database)
            if let recipe { try correct(recipe, of: id, database) }
        }
    }

    private func correct(_ recipe: Recipe, of id: Int64, _ database: Database) throws {
        try database.execute(
            sql: "UPDATE photographs SET model_id = ? WHERE id = ?",
            arguments: [try modelID(recipe, database), id])
        // A note beside an output that was adopted may lie about the camera, so that this content and recipe are known
        // after all: then the row keeps the claimed one.
        try database.execute(
            sql: "UPDATE OR IGNORE photographs SET recipe_hash = ? WHERE id = ?", arguments: [recipe.hash, id])
    }

    func record(_ output: OutputRecord, of id: Int64, _ database: Database) throws {
        try database.execute(
            sql: """
                UPDATE photographs SET state = 'verifying', reason = ?, camera = ?, lens = ?, iso = ?,
                    exposure = ?, changed_at = ?
                WHERE id = ? AND state IN ('running', 'verifying')
                """,
            arguments: [
                output.remark, output.camera, output.lens, output.iso.flatMap(Self.measured),
                output.exposure.flatMap(Self.measured), Timestamp.text(now()), id,
            ])
        try database.execute(
            sql: """
                INSERT OR REPLACE INTO outputs (photograph_id, path, output, hash, width, height, passes, tile_plan)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                id, output.path.bytes, output.path.string, output.hash, output.width, output.height,
                output.passes, output.tilePlan,
            ])
        for (name, value) in output.metrics where value.isFinite {
            try database.execute(
                sql: "INSERT OR REPLACE INTO metrics (photograph_id, name, value) VALUES (?, ?, ?)",
                arguments: [id, name, value])
        }
    }

    /// Records that the output is durable under its final name; the photograph becomes `done`.
    public func finish(_ id: Int64) throws {
        try writing { try finish(id, $0) }
    }

    func finish(_ id: Int64, _ database: Database) throws {
        try database.execute(
            sql: "UPDATE outputs SET published_at = ? WHERE photograph_id = ?",
            arguments: [Timestamp.text(now()), id])
        try endAttempt(id, outcome: "done", reason: nil, database)
        let remark = try String.fetchOne(
            database, sql: "SELECT reason FROM photographs WHERE id = ?", arguments: [id])
        try close(id, as: .done, reason: remark, database)
        try forgetFailures(id, database)
    }

    /// Takes over from a daemon that was killed: its running photographs queue again.
    ///
    /// - Parameter maximumInterruptions: a photograph whose latest so many attempts all ended the daemon is
    ///   quarantined instead; at least 1.
    public func recover(maximumInterruptions: Int) throws -> Recovery {
        try writing { database in
            var recovery = Recovery()
            recovery.pending = try Row.fetchAll(
                database,
                sql: """
                    SELECT photograph_id, path, hash FROM outputs JOIN photographs ON photographs.id = photograph_id
                    WHERE state = 'verifying' ORDER BY photograph_id
                    """
            ).map { PendingOutput(id: $0["photograph_id"], path: FilePath(bytes: $0["path"]), hash: $0["hash"]) }
            let running = try Int64.fetchAll(
                database, sql: "SELECT id FROM photographs WHERE state = 'running' ORDER BY id DESC")
            for id in running {
                try endAttempt(id, outcome: "interrupted", reason: "the daemon ended during the attempt", database)
                if try interruptions(id, database) >= max(1, maximumInterruptions) {
                    let reason = "the daemon ended \(maximumInterruptions) times in a row while working on it"
                    try close(id, as: .quarantined, reason: reason, database)
                    recovery.quarantined.append(id)
                } else {
                    try database.execute(
                        sql: """
                            UPDATE photographs SET state = 'queued', queue_position = \(Self.firstPosition),
                                changed_at = ?
                            WHERE id = ?
                            """, arguments: [Timestamp.text(now()), id])
                    recovery.requeued.append(id)
                }
            }
            return recovery
        }
    }

    /// How many of the latest attempts ended with the daemon, without another end between them.
    private func interruptions(_ id: Int64, _ database: Database) throws -> Int {
        let outcomes = try String.fetchAll(
            database, sql: "SELECT outcome FROM attempts WHERE photograph_id = ? ORDER BY number DESC",
            arguments: [id])
        return outcomes.prefix { $0 == "interrupted" }.count
    }

    private static func measured(_ value: Double) -> Double? { value.isFinite && value >= 0 ? value : nil }
}
