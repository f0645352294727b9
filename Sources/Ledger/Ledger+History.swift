import Foundation
import GRDB
import SystemPackage

/// Which photographs a question is about; what is nil does not restrict it.
public struct HistoryFilter: Sendable, Equatable {
    /// Only photographs whose state changed at this moment or later.
    public var since: Date?
    public var status: PhotographState?
    /// Part of the camera's name, whatever the case.
    public var camera: String?
    /// The lowest ISO speed.
    public var isoMinimum: Double?
    /// At most so many, the latest first; nil for all.
    public var limit: Int?

    public init(
        since: Date? = nil, status: PhotographState? = nil, camera: String? = nil, isoMinimum: Double? = nil,
        limit: Int? = nil
    ) {
        self.since = since
        self.status = status
        self.camera = camera
        self.isoMinimum = isoMinimum
        self.limit = limit
    }
}

extension Ledger {
    /// The photographs that pass `filter`, latest change first.
    public func history(_ filter: HistoryFilter = HistoryFilter()) throws -> [PhotographRecord] {
        try reading { database in
            var selections: [SQL] = []
            if let part = filter.camera {
                for camera in try Self.cameras(containing: part, database) {
                    selections.append(Self.selection(filter, camera: camera))
                }
                guard !selections.isEmpty else { return [] }
            } else {
                selections.append(Self.selection(filter, camera: nil))
            }
            // Ids come from one covering index; only the rows that are shown are joined with the other tables.
            let request: SQL = """
                SELECT history.* FROM history JOIN (
                    SELECT id AS chosen, changed_at AS moment FROM (\(selections.joined(separator: " UNION ALL ")))
                    ORDER BY changed_at DESC, id DESC LIMIT \(filter.limit ?? -1)
                ) ON history.id = chosen ORDER BY moment DESC, chosen DESC
                """
            return try SQLRequest<Row>(literal: request).fetchAll(database).compactMap(PhotographRecord.init)
        }
    }

    /// Everything known of one photograph.
    ///
    /// - Throws: `LedgerError` with the code `unknownPhotograph`.
    public func show(_ id: Int64) throws -> PhotographDetails {
        try reading { database in
            guard let row = try Row.fetchOne(database, sql: "SELECT * FROM history WHERE id = ?", arguments: [id]),
                let record = PhotographRecord(row),
                let more = try Row.fetchOne(
                    database,
                    sql: """
                        SELECT photographs.*, width, height, passes, tile_plan, due_at
                        FROM photographs LEFT JOIN outputs ON outputs.photograph_id = photographs.id
                        LEFT JOIN retries ON retries.photograph_id = photographs.id
                        WHERE photographs.id = ?
                        """, arguments: [id])
            else {
                throw unknown(id)
            }
            return try Self.details(record, more, database)
        }
    }

    /// How many photographs are in each state, zeros included.
    public func counts() throws -> [PhotographState: Int] {
        try reading { database in
            var counts = Dictionary(uniqueKeysWithValues: PhotographState.allCases.map { ($0, 0) })
            let rows = try Row.fetchCursor(database, sql: "SELECT state, count(*) AS n FROM photographs GROUP BY state")
            while let row = try rows.next() {
                if let state = PhotographState(rawValue: row["state"]) { counts[state] = row["n"] }
            }
            return counts
        }
    }

    /// How many photographs are in one state.
    public func count(of state: PhotographState) throws -> Int {
        try reading { database in
            try Int.fetchOne(
                database, sql: "SELECT count(*) FROM photographs WHERE state = ?", arguments: [state.rawValue]) ?? 0
        }
    }

    /// The camera of a photograph with this content that was denoised before; nil if there is none, or it names none.
    public func camera(ofContent hash: String) throws -> String? {
        try reading { database in
            try String.fetchOne(
                database,
                sql: """
                    SELECT camera FROM photographs WHERE content_hash = ?
                        AND state IN ('running', 'verifying', 'done') AND camera IS NOT NULL
                    ORDER BY id DESC LIMIT 1
                    """, arguments: [hash])
        }
    }

    /// Whether a photograph with this content and recipe is done: its number.
    public func done(contentHash: String, recipeHash: String) throws -> Int64? {
        try reading { database in
            try Int64.fetchOne(
                database,
                sql: """
                    SELECT id FROM photographs WHERE content_hash = ? AND recipe_hash = ?
                        AND state IN ('running', 'verifying', 'done') AND state = 'done'
                    """, arguments: [contentHash, recipeHash])
        }
    }

    /// One SELECT per camera keeps both the restriction and the order inside a single index.
    private static func selection(_ filter: HistoryFilter, camera: String?) -> SQL {
        var conditions: [SQL] = []
        let index: SQL
        if let camera {
            index = "photographs_camera"
            conditions.append("camera = \(camera)")
        } else {
            index = filter.status == nil ? "photographs_changed" : "photographs_state"
        }
        if let status = filter.status { conditions.append("state = \(status.rawValue)") }
        if let since = filter.since { conditions.append("changed_at >= \(Timestamp.text(since))") }
        if let minimum = filter.isoMinimum { conditions.append("iso >= \(minimum)") }
        let restriction: SQL = conditions.isEmpty ? "true" : conditions.joined(separator: " AND ")
        return """
            SELECT * FROM (SELECT id, changed_at FROM photographs INDEXED BY \(index) WHERE \(restriction)
            ORDER BY changed_at DESC, id DESC LIMIT \(filter.limit ?? -1))
            """
    }

    /// Steps from one camera to the next through the index instead of reading every row.
    private static func cameras(containing part: String, _ database: Database) throws -> [String] {
        let names = try String.fetchAll(
            database,
            sql: """
                WITH RECURSIVE names (camera) AS (
                    SELECT min(camera) FROM photographs
                    UNION ALL
                    SELECT (SELECT min(camera) FROM photographs WHERE camera > names.camera) FROM names
                    WHERE names.camera IS NOT NULL
                )
                SELECT camera FROM names WHERE camera IS NOT NULL
                """)
        return names.filter { $0.localizedCaseInsensitiveContains(part) }
    }

    private static func details(
        _ record: PhotographRecord, _ row: Row, _ database: Database
    ) throws -> PhotographDetails {
        let attempts = try Row.fetchAll(
            database, sql: "SELECT * FROM attempts WHERE photograph_id = ? ORDER BY number", arguments: [record.id])
        let metrics = try Row.fetchAll(
            database, sql: "SELECT name, value FROM metrics WHERE photograph_id = ?", arguments: [record.id])
        return PhotographDetails(
            record: record, path: FilePath(bytes: row["source_path"]), contentHash: row["content_hash"],
            recipeHash: row["recipe_hash"], duplicateOf: row["duplicate_of"], retryAt: row["due_at"], lens: row["lens"],
            exposure: row["exposure"], width: row["width"], height: row["height"], passes: row["passes"],
            tilePlan: row["tile_plan"],
            attempts: attempts.map {
                AttemptRecord(
                    number: $0["number"], startedAt: $0["started_at"], finishedAt: $0["finished_at"],
                    outcome: $0["outcome"], reason: $0["reason"])
            },
            metrics: Dictionary(uniqueKeysWithValues: metrics.map { ($0["name"], $0["value"]) }))
    }
}

extension PhotographRecord {
    /// A row of the view `history`.
    init?(_ row: Row) {
        guard let status = PhotographState(rawValue: row["status"]) else { return nil }
        self.init(
            id: row["id"], status: status, source: row["source"], output: row["output"], reason: row["reason"],
            attempts: row["attempts"], model: row["model"], preset: row["preset"], noiseBefore: row["noise_before"],
            noiseAfter: row["noise_after"], seconds: row["seconds"], megapixels: row["megapixels"],
            camera: row["camera"], iso: row["iso"], finishedAt: row["finished_at"])
    }
}
