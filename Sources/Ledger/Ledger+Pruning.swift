import Foundation
import GRDB
import SystemPackage

extension Ledger {
    /// Photographs whose end lies before `moment`, oldest first: those that nothing but memory keeps.
    public func finished(before moment: Date, limit: Int = 10_000) throws -> [(id: Int64, path: FilePath)] {
        try reading { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT id, source_path FROM photographs
                    WHERE finished_at < ? AND state <> 'failed'
                        AND NOT EXISTS (SELECT 1 FROM photographs AS copies WHERE copies.duplicate_of = photographs.id)
                    ORDER BY id LIMIT ?
                    """, arguments: [Timestamp.text(moment), limit]
            ).map { ($0["id"], FilePath(bytes: $0["source_path"])) }
        }
    }

    /// Forgets photographs with their attempts, outputs and metrics. No file is touched.
    public func forget(_ ids: [Int64]) throws {
        try writing { database in
            for id in ids {
                try database.execute(
                    sql: """
                        DELETE FROM photographs WHERE id = ? AND finished_at IS NOT NULL
                            AND NOT EXISTS (SELECT 1 FROM photographs AS copies WHERE copies.duplicate_of = ?)
                        """, arguments: [id, id])
            }
        }
    }
}
