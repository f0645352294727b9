import Foundation
import GRDB
import Ledger
import SystemPackage
import Testing

@Suite struct SchemaTests {
    @Test func aNewLedgerSaysWhatItIs() throws {
        let folder = try LedgerFolder()
        _ = try folder.open()
        let (application, version) = try folder.sql { database in
            (
                try Int.fetchOne(database, sql: "PRAGMA application_id"),
                try Int.fetchOne(database, sql: "PRAGMA user_version")
            )
        }
        #expect(application == 0x646E_7364)
        #expect(version == 4)
    }

    @Test func aNewerLedgerIsRefusedNamingBothVersions() throws {
        let folder = try LedgerFolder()
        try folder.open().close()
        try folder.sql { try $0.execute(sql: "PRAGMA user_version = 7") }
        let error = #expect(throws: LedgerError.self) { try folder.open() }
        #expect(error?.code == .newer)
        #expect(error?.description.contains("version 7") == true)
        #expect(error?.description.contains("version 4") == true)
    }

    @Test func anotherProgramsDatabaseIsRefusedAndUntouched() throws {
        let folder = try LedgerFolder()
        try folder.sql { try $0.execute(sql: "CREATE TABLE theirs (x)") }
        let before = FileManager.default.contents(atPath: folder.file.string)
        #expect(throws: LedgerError.self) { try folder.open() }
        #expect(throws: LedgerError.self) { try Ledger.openForReading(in: folder.path) }
        #expect(FileManager.default.contents(atPath: folder.file.string) == before)
    }

    @Test func aFileThatIsNoDatabaseIsRefused() throws {
        let folder = try LedgerFolder()
        try Data(repeating: 0x41, count: 8192).write(to: URL(fileURLWithPath: folder.file.string))
        let error = #expect(throws: LedgerError.self) { try folder.open() }
        #expect(error?.code == .notALedger)
    }

    @Test func readingAMissingLedgerSaysSo() throws {
        let folder = try LedgerFolder()
        let error = #expect(throws: LedgerError.self) { try Ledger.openForReading(in: folder.path) }
        #expect(error?.code == .missing)
        try Data().write(to: URL(fileURLWithPath: folder.file.string))
        let second = #expect(throws: LedgerError.self) { try Ledger.openForReading(in: folder.path) }
        #expect(second?.code == .missing)
    }

    @Test func aReaderSeesWhatTheWriterCommittedAndCannotWrite() throws {
        let folder = try LedgerFolder()
        let writer = try folder.open()
        let reader = try Ledger.openForReading(in: folder.path)
        let id = try writer.queue("/in/a.dng")
        #expect(try reader.show(id).record.status == .queued)
        #expect(throws: LedgerError.self) { try reader.giveUp(id, as: .cancelled, reason: "no") }
    }

    @Test func damageIsFoundByTheCheck() throws {
        let folder = try LedgerFolder()
        let ledger = try folder.open()
        for number in 0..<200 { _ = try ledger.queue(FilePath("/in/\(number).dng")) }
        try ledger.check()
        try ledger.close()
        var bytes = try Data(contentsOf: URL(fileURLWithPath: folder.file.string))
        // The second half holds tables and indexes; the header and the schema stay readable.
        for offset in stride(from: bytes.count / 2, to: bytes.count, by: 97) { bytes[offset] ^= 0xFF }
        try bytes.write(to: URL(fileURLWithPath: folder.file.string))
        let error = #expect(throws: LedgerError.self) { try folder.open().check() }
        #expect(error?.code == .corrupt)
    }

    @Test(arguments: [
        "UPDATE photographs SET state = 'finished'",
        "UPDATE photographs SET state = 'failed', queue_position = NULL, finished_at = 'x'",
        "UPDATE photographs SET state = 'running', queue_position = NULL",
        "UPDATE photographs SET queue_position = NULL",
        "UPDATE photographs SET state = 'duplicate', queue_position = NULL, finished_at = 'x'",
        "UPDATE photographs SET finished_at = 'x'",
        "UPDATE photographs SET size = 'large'",
        "UPDATE photographs SET content_hash = 'xyz'",
        "UPDATE photographs SET iso = -1",
        "INSERT INTO attempts (photograph_id, number, started_at) VALUES (99, 1, 'x')",
        "INSERT INTO attempts (photograph_id, number, started_at, outcome) VALUES (1, 1, 'x', 'done')",
        "INSERT INTO metrics VALUES (1, 'noise_before', NULL)",
        """
        UPDATE photographs SET state = 'done', queue_position = NULL, finished_at = 'x',
            content_hash = printf('%064d', 0), recipe_hash = printf('%064d', 0), model_id = 1
        """,
    ])
    func whatCannotBeTrueCannotBeWritten(statement: String) throws {
        let folder = try LedgerFolder()
        let ledger = try folder.open()
        _ = try ledger.queue("/in/a.dng")
        try folder.sql {
            try $0.execute(sql: "INSERT INTO models VALUES (1, 'm', printf('%064d', 0), '2026')")
        }
        #expect(throws: DatabaseError.self) { try folder.sql { try $0.execute(sql: statement) } }
    }
}
