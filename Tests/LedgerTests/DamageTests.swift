import Foundation
import GRDB
import Ledger
import SystemPackage
import Testing

/// Flipped bytes that no check of SQLite's finds, because every page is still well formed.
@Suite struct DamageTests {
    /// A ledger of a few photographs with a backup, closed.
    private func ledger() throws -> (folder: LedgerFolder, backup: LedgerBackup) {
        let folder = try LedgerFolder()
        let ledger = try folder.open()
        _ = try ledger.complete("/in/a.dng", content: digest("1"))
        for number in 0..<20 { _ = try ledger.queue(FilePath("/in/\(number).dng")) }
        let backup = try ledger.backUp()
        try ledger.close()
        return (folder, backup)
    }

    /// Overwrites `text` everywhere in the file, old copies in free space too.
    private func replace(_ text: String, by other: String, in file: FilePath) throws {
        let url = URL(fileURLWithPath: file.string)
        var bytes = try Data(contentsOf: url)
        var count = 0
        while let range = bytes.range(of: Data(text.utf8)) {
            bytes.replaceSubrange(range, with: Data(other.utf8))
            count += 1
        }
        #expect(text.utf8.count == other.utf8.count && count > 0)
        try bytes.write(to: url)
    }

    /// A view, a trigger, an index, a table.
    private static let flips = [
        ("photographs.iso AS iso,", "photographs.hso AS iso,"), ("WHEN new.state = 'done'", "WHEN new.state = 'done#"),
        ("WHEN new.state = 'done'", "WHEN new.state = 'dond'"),
        ("INDEX photographs_state ON", "INDEX photographs_stave ON"),
        ("outputs (hash)", "outputs (path)"), ("CHECK (size >= 0)", "CHECK (size >= 1)"),
        ("ON DELETE CASCADE,\n    number ", "ON DELETE CASCADF,\n    number "),
    ]

    @Test(arguments: flips) func aFlippedByteOfTheSchemaIsDamage(text: String, other: String) throws {
        let (folder, backup) = try ledger()
        try replace(text, by: other, in: folder.file)
        for open in [{ try folder.open() }, { try Ledger.openForReading(in: folder.path) }] {
            let error = #expect(throws: LedgerError.self) { try open() }
            #expect(error?.code == .corrupt)
        }
        let (restored, rescue) = try Ledger.openOrRescue(in: folder.path)
        #expect(rescue?.restored == backup)
        #expect(try restored.history().count == 21)
    }

    @Test func aBackupWithAFlippedByteInItsSchemaIsPassedOver() throws {
        let (folder, backup) = try ledger()
        for file in [folder.file, backup.path] { try replace(Self.flips[0].0, by: Self.flips[0].1, in: file) }
        #expect(try Ledger.openOrRescue(in: folder.path).rescue?.restored == nil)
    }

    @Test func aLivingLedgerIsComparedAtEachCheck() throws {
        let (folder, _) = try ledger()
        let ledger = try folder.open()
        try ledger.check()
        try folder.sql { database in
            try database.execute(
                sql: """
                    PRAGMA writable_schema = ON;
                    UPDATE sqlite_schema SET sql = replace(sql, 'photographs.iso', 'photographs.hso') WHERE name = 'history'
                    """)
        }
        let error = #expect(throws: LedgerError.self) { try ledger.check() }
        #expect(error?.cause.contains("the view history is not as it was made") == true)
    }

    @Test func whatSomebodyAddedIsNoDamage() throws {
        let (folder, _) = try ledger()
        try folder.sql { database in
            try database.execute(
                sql: """
                    CREATE VIEW mine AS SELECT camera, count(*) FROM photographs GROUP BY camera;
                    CREATE INDEX my_lenses ON photographs (lens);
                    ANALYZE
                    """)
        }
        #expect(try Ledger.openOrRescue(in: folder.path).rescue == nil)
    }

    /// Whatever a header says after one of its bytes was flipped: the ledger works, gives way to its backup, or is
    /// refused because it may be a newer one; it is never lost, and never misunderstood.
    @Test func aFlippedByteOfTheHeaderLosesNothing() throws {
        let (folder, backup) = try ledger()
        let whole = try Data(contentsOf: URL(fileURLWithPath: folder.file.string))
        for (offset, mask) in (16..<100).map({ ($0, [0x01, 0x02, 0x80, 0xFF][$0 % 4]) }) + [
            (18, 3), (47, 8), (60, 0x80),
        ] {
            var bytes = whole
            bytes[offset] ^= UInt8(mask)
            try bytes.write(to: URL(fileURLWithPath: folder.file.string))
            do {
                let (ledger, rescue) = try Ledger.openOrRescue(in: folder.path)
                #expect(rescue == nil || rescue?.restored == backup, "byte \(offset), mask \(mask)")
                #expect(try ledger.history().count == 21, "byte \(offset), mask \(mask)")
                _ = try ledger.queue("/in/later.dng")
                try ledger.check(isThorough: true)
                try ledger.close()
            } catch let error as LedgerError where error.code == .newer {
                #expect((60..<64).contains(offset), "byte \(offset), mask \(mask)")
            }
        }
    }
}
