extension Schema {
    /// Candidates of fine-tuning and how they were judged.
    static let trials = """
        CREATE TABLE trials (
            id             INTEGER PRIMARY KEY AUTOINCREMENT,
            candidate      TEXT CHECK (candidate <> ''),
            candidate_hash TEXT CHECK (length(candidate_hash) = 64 AND candidate_hash NOT GLOB '*[^0-9a-f]*'),
            parent         TEXT NOT NULL CHECK (parent <> ''),
            parent_hash    TEXT NOT NULL CHECK (length(parent_hash) = 64 AND parent_hash NOT GLOB '*[^0-9a-f]*'),
            is_promoted    INTEGER NOT NULL CHECK (is_promoted IN (0, 1)),
            reason         TEXT NOT NULL CHECK (reason <> ''),
            judged_at      TEXT NOT NULL,
            CHECK (is_promoted = 0 OR candidate_hash IS NOT NULL),
            CHECK ((candidate IS NULL) = (candidate_hash IS NULL))
        ) STRICT;

        CREATE TABLE trial_figures (
            trial_id INTEGER NOT NULL REFERENCES trials (id) ON DELETE CASCADE,
            name     TEXT NOT NULL CHECK (name <> ''),
            value    REAL NOT NULL,
            PRIMARY KEY (trial_id, name)
        ) STRICT, WITHOUT ROWID;
        """

    /// For whose photographs alone a candidate was made, as `Camera` writes it; null for those of all.
    static let trialsOfCameras = "ALTER TABLE trials ADD COLUMN camera TEXT CHECK (camera <> '')"
}
