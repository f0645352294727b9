import GRDB
import Testing

@testable import Ledger

@Suite struct TrialsTests {
    private let trial = ModelTrial(
        candidate: "finetuned-1", candidateHash: digest("d"), parent: "denoised", parentHash: digest("b"),
        isPromoted: true, reason: "error lower by 3 %", figures: ["held_out_gain": 0.03, "pinned_before": 36.5])

    @Test func aTrialIsRememberedWithEveryFigure() throws {
        let folder = try LedgerFolder()
        let ledger = try folder.open()
        var refused = trial
        (refused.candidate, refused.candidateHash, refused.isPromoted) = (nil, nil, false)
        refused.reason = "too few captures"
        refused.figures = ["held_out_gain": .nan]
        var ofACamera = trial
        ofACamera.camera = "nikond800"
        try ledger.record(ofACamera)
        folder.advance(by: 60)
        try ledger.record(refused)
        let trials = try ledger.trials()
        #expect(trials.map(\.reason) == ["too few captures", "error lower by 3 %"])
        #expect(trials[0].judgedAt > trials[1].judgedAt)
        #expect(trials[0].figures.isEmpty)
        #expect(trials[0].camera == nil)
        var expected = ofACamera
        expected.judgedAt = trials[1].judgedAt
        #expect(trials[1] == expected)
    }

    @Test(arguments: [
        "INSERT INTO trials VALUES (1, 'c', NULL, 'p', printf('%064d', 0), 0, 'r', '2026', NULL)",
        "INSERT INTO trials VALUES (1, NULL, NULL, 'p', printf('%064d', 0), 1, 'r', '2026', NULL)",
        "INSERT INTO trials VALUES (1, NULL, NULL, 'p', 'short', 0, 'r', '2026', NULL)",
        "INSERT INTO trials VALUES (1, NULL, NULL, 'p', printf('%064d', 0), 0, '', '2026', NULL)",
        "INSERT INTO trials VALUES (1, NULL, NULL, 'p', printf('%064d', 0), 0, 'r', '2026', '')",
        "INSERT INTO trial_figures VALUES (9, 'gain', 1.0)",
    ]) func whatCannotBeIsRefused(sql: String) throws {
        let folder = try LedgerFolder()
        try folder.open().close()
        #expect(throws: DatabaseError.self) {
            try folder.sql { database in
                try database.execute(sql: "PRAGMA foreign_keys = ON")
                try database.execute(sql: sql)
            }
        }
    }

    /// What the other cases change is all that is wrong with them.
    @Test func whatCanBeIsTaken() throws {
        let folder = try LedgerFolder()
        try folder.open().close()
        try folder.sql {
            try $0.execute(
                sql: "INSERT INTO trials VALUES (1, NULL, NULL, 'p', printf('%064d', 0), 0, 'r', '2026', NULL)")
        }
    }

    /// A ledger as an older program left it keeps its trials, which were for all cameras.
    @Test func trialsBecomeThoseOfAllCameras() throws {
        let folder = try LedgerFolder()
        try folder.open().close()
        try folder.sql { database in
            try database.execute(sql: "DROP TABLE trial_figures; DROP TABLE trials;" + Schema.trials)
            try database.execute(
                sql: """
                    INSERT INTO trials VALUES (1, NULL, NULL, 'p', printf('%064d', 0), 0, 'r', '2026');
                    PRAGMA user_version = 3
                    """)
        }
        let ledger = try folder.open()
        #expect(try ledger.trials().map(\.reason) == ["r"])
        #expect(try ledger.trials().map(\.camera) == [nil])
    }

    /// A ledger as an older program left it is carried over with its photographs.
    @Test func aLedgerWithoutTrialsIsMigrated() throws {
        let folder = try LedgerFolder()
        try folder.open().close()
        try folder.sql { database in
            try database.execute(sql: "DROP TABLE trial_figures; DROP TABLE trials; PRAGMA user_version = 2")
            try database.execute(sql: "INSERT INTO models VALUES (1, 'm', printf('%064d', 0), '2026')")
        }
        let ledger = try folder.open()
        try ledger.record(trial)
        #expect(try ledger.trials().count == 1)
        try ledger.close()
        #expect(try folder.sql { try Int.fetchOne($0, sql: "SELECT count(*) FROM models") } == 1)
    }
}
