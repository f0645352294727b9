import Foundation
import GRDB
import SystemPackage

/// A photograph that was denoised, as its output tells.
public struct FinishedPhotograph: Sendable, Equatable {
    public var source: FilePath
    /// SHA-256 of the original, lowercase hexadecimal.
    public var contentHash: String
    public var recipe: Recipe
    public var output: OutputRecord

    public init(source: FilePath, contentHash: String, recipe: Recipe, output: OutputRecord) {
        self.source = source
        self.contentHash = contentHash
        self.recipe = recipe
        self.output = output
    }
}

extension Ledger {
    /// Whether no photograph was ever seen.
    public func isEmpty() throws -> Bool {
        try reading { try Bool.fetchOne($0, sql: "SELECT NOT EXISTS (SELECT 1 FROM photographs)") ?? true }
    }

    /// Enters a photograph that was done while another ledger kept the books. The file's size and times are left open:
    /// the next scan finds it changed, its content known, and enters them.
    ///
    /// - Returns: false if this content and recipe are known already, or the output is another photograph's.
    public func adopt(_ photograph: FinishedPhotograph) throws -> Bool {
        try writing { database in
            let output = photograph.output
            let isKnown = try Bool.fetchOne(
                database,
                sql: """
                    SELECT EXISTS (SELECT 1 FROM photographs WHERE content_hash = ? AND recipe_hash = ?
                            AND state IN ('running', 'verifying', 'done'))
                        OR EXISTS (SELECT 1 FROM outputs WHERE path = ?)
                    """, arguments: [photograph.contentHash, photograph.recipe.hash, output.path.bytes])
            guard isKnown == false else { return false }
            let moment = Timestamp.text(now())
            try database.execute(
                sql: """
                    INSERT INTO photographs (source_path, source, size, modified_ns, changed_ns, inode, content_hash,
                        recipe_hash, model_id, preset, state, seen_at, changed_at, started_at)
                    VALUES (?, ?, 0, 0, 0, 0, ?, ?, ?, ?, 'verifying', ?, ?, ?)
                    """,
                arguments: [
                    photograph.source.bytes, photograph.source.string, photograph.contentHash, photograph.recipe.hash,
                    try modelID(photograph.recipe, database), photograph.recipe.preset, moment, moment, moment,
                ])
            let id = database.lastInsertedRowID
            try record(output, of: id, database)
            try finish(id, database)
            return true
        }
    }
}
