import GRDB

/// The ledger's schema: one frozen script a version. A shipped script is never edited, and names no Swift type.
enum Schema {
    /// "dnsd": tells the ledger from other SQLite files (`PRAGMA application_id`).
    static let applicationID: Int32 = 0x646E_7364

    /// Script n leads from `user_version` n to n + 1.
    static let migrations = [version1, version2, trials, trialsOfCameras]

    static var currentVersion: Int { migrations.count }

    private static let version1 = """
        CREATE TABLE models (
            id            INTEGER PRIMARY KEY,
            name          TEXT NOT NULL CHECK (name <> ''),
            hash          TEXT NOT NULL CHECK (length(hash) = 64 AND hash NOT GLOB '*[^0-9a-f]*'),
            first_used_at TEXT NOT NULL,
            UNIQUE (name, hash)
        ) STRICT;

        CREATE TABLE photographs (
            id             INTEGER PRIMARY KEY AUTOINCREMENT,
            source_path    BLOB NOT NULL CHECK (length(source_path) > 0),
            source         TEXT NOT NULL,
            size           INTEGER NOT NULL CHECK (size >= 0),
            modified_ns    INTEGER NOT NULL,
            changed_ns     INTEGER NOT NULL,
            inode          INTEGER NOT NULL,
            content_hash   TEXT CHECK (length(content_hash) = 64 AND content_hash NOT GLOB '*[^0-9a-f]*'),
            recipe_hash    TEXT CHECK (length(recipe_hash) = 64 AND recipe_hash NOT GLOB '*[^0-9a-f]*'),
            model_id       INTEGER REFERENCES models (id),
            preset         TEXT,
            state          TEXT NOT NULL CHECK (state IN ('settling', 'queued', 'running', 'verifying', 'done',
                               'skipped', 'duplicate', 'failed', 'quarantined', 'cancelled')),
            reason         TEXT CHECK (reason <> ''),
            duplicate_of   INTEGER REFERENCES photographs (id) CHECK (duplicate_of <> id),
            queue_position INTEGER,
            camera         TEXT,
            lens           TEXT,
            iso            REAL CHECK (iso >= 0),
            exposure       REAL CHECK (exposure >= 0),
            seen_at        TEXT NOT NULL,
            changed_at     TEXT NOT NULL,
            started_at     TEXT,
            finished_at    TEXT,
            CHECK ((state = 'queued') = (queue_position IS NOT NULL)),
            CHECK ((state = 'duplicate') = (duplicate_of IS NOT NULL)),
            CHECK ((state IN ('settling', 'queued', 'running', 'verifying')) = (finished_at IS NULL)),
            CHECK (state NOT IN ('skipped', 'failed', 'quarantined', 'cancelled') OR reason IS NOT NULL),
            CHECK (state NOT IN ('running', 'verifying', 'done', 'duplicate')
                OR (content_hash IS NOT NULL AND recipe_hash IS NOT NULL AND model_id IS NOT NULL))
        ) STRICT;

        CREATE UNIQUE INDEX photographs_once ON photographs (content_hash, recipe_hash)
            WHERE state IN ('running', 'verifying', 'done');
        CREATE UNIQUE INDEX photographs_queue ON photographs (queue_position) WHERE queue_position IS NOT NULL;
        CREATE INDEX photographs_path ON photographs (source_path, id);
        CREATE INDEX photographs_changed ON photographs (changed_at, id, iso);
        CREATE INDEX photographs_state ON photographs (state, changed_at, id, iso);
        CREATE INDEX photographs_camera ON photographs (camera, changed_at, id, state, iso);
        CREATE INDEX photographs_original ON photographs (duplicate_of) WHERE duplicate_of IS NOT NULL;

        CREATE TABLE attempts (
            id            INTEGER PRIMARY KEY,
            photograph_id INTEGER NOT NULL REFERENCES photographs (id) ON DELETE CASCADE,
            number        INTEGER NOT NULL CHECK (number >= 1),
            started_at    TEXT NOT NULL,
            finished_at   TEXT,
            outcome       TEXT CHECK (outcome IN ('done', 'failed', 'changed', 'abandoned', 'interrupted')),
            reason        TEXT,
            UNIQUE (photograph_id, number),
            CHECK ((outcome IS NULL) = (finished_at IS NULL))
        ) STRICT;

        CREATE TABLE outputs (
            photograph_id INTEGER PRIMARY KEY REFERENCES photographs (id) ON DELETE CASCADE,
            path          BLOB NOT NULL CHECK (length(path) > 0),
            output        TEXT NOT NULL,
            hash          TEXT NOT NULL CHECK (length(hash) = 64 AND hash NOT GLOB '*[^0-9a-f]*'),
            width         INTEGER NOT NULL CHECK (width > 0),
            height        INTEGER NOT NULL CHECK (height > 0),
            passes        INTEGER NOT NULL CHECK (passes >= 0),
            tile_plan     TEXT NOT NULL,
            published_at  TEXT
        ) STRICT;
        CREATE INDEX outputs_hash ON outputs (hash);

        CREATE TABLE metrics (
            photograph_id INTEGER NOT NULL REFERENCES photographs (id) ON DELETE CASCADE,
            name          TEXT NOT NULL CHECK (name <> ''),
            value         REAL NOT NULL,
            PRIMARY KEY (photograph_id, name)
        ) STRICT, WITHOUT ROWID;

        CREATE TRIGGER photographs_done_is_durable BEFORE UPDATE OF state ON photographs
        WHEN new.state = 'done' AND NOT EXISTS (
            SELECT 1 FROM outputs WHERE photograph_id = new.id AND published_at IS NOT NULL)
        BEGIN
            SELECT RAISE(ABORT, 'a photograph is done only after its output was published');
        END;

        CREATE VIEW history AS
        SELECT photographs.id AS id, photographs.state AS status, photographs.source AS source,
            CASE WHEN outputs.published_at IS NOT NULL THEN outputs.output END AS output,
            photographs.reason AS reason,
            (SELECT count(*) FROM attempts WHERE photograph_id = photographs.id) AS attempts,
            models.name AS model, photographs.preset AS preset,
            (SELECT value FROM metrics WHERE photograph_id = photographs.id AND name = 'noise_before') AS noise_before,
            (SELECT value FROM metrics WHERE photograph_id = photographs.id AND name = 'noise_after') AS noise_after,
            (SELECT value FROM metrics WHERE photograph_id = photographs.id AND name = 'seconds') AS seconds,
            (SELECT value FROM metrics WHERE photograph_id = photographs.id AND name = 'megapixels') AS megapixels,
            photographs.camera AS camera, photographs.iso AS iso, photographs.finished_at AS finished_at,
            photographs.changed_at AS changed_at
        FROM photographs
        LEFT JOIN models ON models.id = photographs.model_id
        LEFT JOIN outputs ON outputs.photograph_id = photographs.id;
        """

    /// Photographs that failed: how often in a row, and when they are tried again; no moment if they are not.
    private static let version2 = """
        CREATE TABLE retries (
            photograph_id INTEGER PRIMARY KEY REFERENCES photographs (id) ON DELETE CASCADE,
            failures      INTEGER NOT NULL CHECK (failures >= 1),
            due_at        TEXT
        ) STRICT;
        CREATE INDEX retries_due ON retries (due_at) WHERE due_at IS NOT NULL;
        """
}
