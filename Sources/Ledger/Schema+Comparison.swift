import GRDB

/// Tells whether a ledger has the schema that its version should have.
///
/// SQLite checks pages, and stores tables, indexes, triggers and views as text: a flipped byte there passes every check
/// of pages, and shows only when a question fails or a constraint no longer holds.
extension Schema {
    /// One row of `sqlite_schema` without its page.
    private struct Entry: Hashable, Sendable {
        var kind: String
        var name: String
        var table: String
        var sql: String
    }

    /// What contradicts `version`; nil if nothing does. What is there beside, such as statistics or somebody's own
    /// view, does not, unless it has the name of something that only a later version brings.
    ///
    /// - Parameter version: one that this program knows, or 0 for nothing yet.
    static func contradiction(in database: Database, version: Int) throws -> String? {
        let versions = try versions.get()
        let actual = try entries(of: database)
        if let missing = versions[version].subtracting(actual).min(by: { $0.name < $1.name }) {
            let isThere = actual.contains { ($0.kind, $0.name) == (missing.kind, missing.name) }
            return "the \(missing.kind) \(missing.name) \(isThere ? "is not as it was made" : "is missing")"
        }
        let later = Set(versions[currentVersion].map(\.name)).subtracting(versions[version].map(\.name))
        return actual.map(\.name).filter(later.contains).min().map {
            "its header says version \(version), which has no \($0)"
        }
    }

    /// By version: what the migrations make of an empty database.
    private static let versions: Result<[Set<Entry>], any Error> = Result {
        try DatabaseQueue().inDatabase { database in
            try [[]]
                + migrations.map { script in
                    try database.execute(sql: script)
                    return try entries(of: database)
                }
        }
    }

    private static func entries(of database: Database) throws -> Set<Entry> {
        // A damaged row may hold any type.
        let rows = try Row.fetchAll(
            database,
            sql: """
                SELECT ifnull(CAST(type AS TEXT), '') AS kind, ifnull(CAST(name AS TEXT), '') AS name,
                    ifnull(CAST(tbl_name AS TEXT), '') AS "table", ifnull(CAST(sql AS TEXT), '') AS sql
                FROM sqlite_schema
                """)
        return Set(rows.map { Entry(kind: $0["kind"], name: $0["name"], table: $0["table"], sql: $0["sql"]) })
    }
}
