import Foundation
import GRDB

/// A fine-tuned model, how it was judged, and what came of it.
public struct ModelTrial: Sendable, Equatable {
    /// Name and SHA-256 of the candidate; nil where fine-tuning ended without one.
    public var candidate: String?
    public var candidateHash: String?
    /// Name and SHA-256 of the model that it came from.
    public var parent: String
    public var parentHash: String
    /// For whose photographs alone; nil for those of all cameras.
    public var camera: String?
    public var isPromoted: Bool
    /// One line: what it gained, or what spoke against it.
    public var reason: String
    /// UTC, ISO 8601; set by the ledger.
    public var judgedAt: String
    /// By name, as in the model's metadata.
    public var figures: [String: Double]

    public init(
        candidate: String?, candidateHash: String?, parent: String, parentHash: String, camera: String? = nil,
        isPromoted: Bool, reason: String, judgedAt: String = "", figures: [String: Double]
    ) {
        self.candidate = candidate
        self.candidateHash = candidateHash
        self.parent = parent
        self.parentHash = parentHash
        self.camera = camera
        self.isPromoted = isPromoted
        self.reason = reason
        self.judgedAt = judgedAt
        self.figures = figures
    }
}

extension Ledger {
    /// Remembers how a candidate was judged.
    ///
    /// - Returns: its number.
    @discardableResult
    public func record(_ trial: ModelTrial) throws -> Int64 {
        try writing { database in
            try database.execute(
                sql: """
                    INSERT INTO trials
                        (candidate, candidate_hash, parent, parent_hash, camera, is_promoted, reason, judged_at)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    trial.candidate, trial.candidateHash, trial.parent, trial.parentHash, trial.camera,
                    trial.isPromoted, trial.reason, Timestamp.text(now()),
                ])
            let id = database.lastInsertedRowID
            for (name, value) in trial.figures where value.isFinite {
                try database.execute(
                    sql: "INSERT INTO trial_figures (trial_id, name, value) VALUES (?, ?, ?)",
                    arguments: [id, name, value])
            }
            return id
        }
    }

    /// Every candidate that was judged, newest first.
    public func trials() throws -> [ModelTrial] {
        try reading { database in
            try Row.fetchAll(database, sql: "SELECT * FROM trials ORDER BY id DESC").map { row in
                let id: Int64 = row["id"]
                let figures = try Row.fetchAll(
                    database, sql: "SELECT name, value FROM trial_figures WHERE trial_id = ?", arguments: [id])
                return ModelTrial(
                    candidate: row["candidate"], candidateHash: row["candidate_hash"], parent: row["parent"],
                    parentHash: row["parent_hash"], camera: row["camera"], isPromoted: row["is_promoted"],
                    reason: row["reason"], judgedAt: row["judged_at"],
                    figures: Dictionary(uniqueKeysWithValues: figures.map { ($0["name"], $0["value"]) }))
            }
        }
    }
}
