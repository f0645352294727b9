import Foundation
import GRDB
import SystemPackage

extension Ledger {
    /// The durable output of a photograph and its hash; nil if it has none.
    public func output(of id: Int64) throws -> (path: FilePath, hash: String)? {
        try reading { database in
            try Row.fetchOne(
                database,
                sql: "SELECT path, hash FROM outputs WHERE photograph_id = ? AND published_at IS NOT NULL",
                arguments: [id]
            ).map { (FilePath(bytes: $0["path"]), $0["hash"]) }
        }
    }

    /// Whether some photograph's output is, or is to be, the file at `path`.
    public func hasOutput(at path: FilePath) throws -> Bool {
        try reading { database in
            try Bool.fetchOne(
                database, sql: "SELECT EXISTS (SELECT 1 FROM outputs WHERE path = ?)", arguments: [path.bytes]) ?? false
        }
    }

    /// Records, before it is published, that a duplicate gets a copy of the original's output at `path`.
    public func prepareCopy(_ id: Int64, of original: Int64, at path: FilePath) throws {
        try writing { database in
            try database.execute(
                sql: """
                    INSERT OR REPLACE INTO outputs (photograph_id, path, output, hash, width, height, passes, tile_plan)
                    SELECT ?, ?, ?, hash, width, height, passes, tile_plan FROM outputs WHERE photograph_id = ?
                    """, arguments: [id, path.bytes, path.string, original])
        }
    }

    /// Records whether the copy that was prepared is durable under its name.
    public func finishCopy(_ id: Int64, isPublished: Bool) throws {
        try writing { database in
            if isPublished {
                try database.execute(
                    sql: "UPDATE outputs SET published_at = ? WHERE photograph_id = ?",
                    arguments: [Timestamp.text(now()), id])
            } else {
                try database.execute(
                    sql: "DELETE FROM outputs WHERE photograph_id = ? AND published_at IS NULL", arguments: [id])
            }
        }
    }

    /// Copies that an interrupted service prepared, published or not.
    public func pendingCopies() throws -> [PendingOutput] {
        try reading { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT photograph_id, path, hash FROM outputs JOIN photographs ON photographs.id = photograph_id
                    WHERE state = 'duplicate' AND published_at IS NULL ORDER BY photograph_id
                    """
            ).map { PendingOutput(id: $0["photograph_id"], path: FilePath(bytes: $0["path"]), hash: $0["hash"]) }
        }
    }
}
