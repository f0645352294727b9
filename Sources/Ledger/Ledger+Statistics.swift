import GRDB

/// Sums over every finished photograph.
public struct LedgerStatistics: Sendable, Equatable {
    /// What one camera contributed.
    public struct Camera: Sendable, Equatable {
        /// nil where the file names none.
        public var name: String?
        public var photographs: Int
        /// Means over its photographs, 8-bit units.
        public var noiseBefore: Double?
        public var noiseAfter: Double?
    }

    public var counts: [PhotographState: Int]
    /// Over the photographs that are done.
    public var megapixels: Double
    public var seconds: Double
    /// Means over the photographs that are done, 8-bit units.
    public var noiseBefore: Double?
    public var noiseAfter: Double?
    /// Most photographs first.
    public var cameras: [Camera]

    /// Megapixels per second of work; nil before the first photograph.
    public var speed: Double? { seconds > 0 ? megapixels / seconds : nil }
}

extension Ledger {
    /// Sums over every photograph; reads all metrics, so it takes seconds in a ledger of a million rows.
    public func statistics() throws -> LedgerStatistics {
        let counts = try counts()
        return try reading { database in
            let sums = try Row.fetchOne(
                database,
                sql: """
                    SELECT total(CASE name WHEN 'megapixels' THEN value END) AS megapixels,
                        total(CASE name WHEN 'seconds' THEN value END) AS seconds,
                        avg(CASE name WHEN 'noise_before' THEN value END) AS noise_before,
                        avg(CASE name WHEN 'noise_after' THEN value END) AS noise_after
                    FROM metrics JOIN photographs ON photographs.id = photograph_id WHERE state = 'done'
                    """)
            let cameras = try Row.fetchAll(
                database,
                sql: """
                    SELECT camera, count(DISTINCT photographs.id) AS photographs,
                        avg(CASE name WHEN 'noise_before' THEN value END) AS noise_before,
                        avg(CASE name WHEN 'noise_after' THEN value END) AS noise_after
                    FROM photographs LEFT JOIN metrics ON photograph_id = photographs.id
                    WHERE state = 'done' GROUP BY camera ORDER BY photographs DESC, camera
                    """)
            return LedgerStatistics(
                counts: counts, megapixels: sums?["megapixels"] ?? 0, seconds: sums?["seconds"] ?? 0,
                noiseBefore: sums?["noise_before"], noiseAfter: sums?["noise_after"],
                cameras: cameras.map {
                    LedgerStatistics.Camera(
                        name: $0["camera"], photographs: $0["photographs"], noiseBefore: $0["noise_before"],
                        noiseAfter: $0["noise_after"])
                })
        }
    }
}
