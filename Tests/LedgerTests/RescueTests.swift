import Foundation
import GRDB
import Ledger
import SystemPackage
import Testing

/// Backups, damage and other programs.
@Suite struct RescueTests {
    private func damage(_ folder: LedgerFolder, _ change: (inout Data) -> Void) throws {
        let url = URL(fileURLWithPath: folder.file.string)
        var bytes = try Data(contentsOf: url)
        change(&bytes)
        try bytes.write(to: url)
    }

    private func names(_ folder: LedgerFolder) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path.string).sorted()
    }

    @Test func aWholeLedgerNeedsNoRescue() throws {
        let folder = try LedgerFolder()
        try folder.open().close()
        let (ledger, rescue) = try Ledger.openOrRescue(in: folder.path)
        #expect(rescue == nil)
        try ledger.close()
        #expect(try !names(folder).contains { $0.hasPrefix("ledger.corrupt") || $0 == "backups" })
    }

    /// Header, schema and the pages of tables.
    @Test(arguments: [0, 16, 100, 4096, 8192, 20_000])
    func aDamagedLedgerIsReplacedByItsBackupAndKept(offset: Int) throws {
        let folder = try LedgerFolder()
        let ledger = try folder.open()
        for number in 0..<200 { _ = try ledger.queue(FilePath("/in/\(number).dng")) }
        let backup = try ledger.backUp()
        try ledger.close()
        try damage(folder) { bytes in
            for index in offset..<min(offset + 2048, bytes.count) { bytes[index] = bytes[index] ^ 0xFF }
        }
        let damaged = FileManager.default.contents(atPath: folder.file.string)
        let (restored, rescue) = try Ledger.openOrRescue(in: folder.path)
        #expect(rescue?.restored == backup)
        #expect(try restored.count(of: .queued) == 200)
        let moved = try #require(rescue?.movedTo)
        #expect(moved.lastComponent?.string.hasPrefix("ledger.corrupt-") == true)
        #expect(FileManager.default.contents(atPath: moved.string) == damaged)
    }

    /// An index without the row that its table has.
    private func loseAnIndexEntry(_ folder: LedgerFolder) throws {
        let (page, text) = try folder.sql { database in
            let entry = try #require(
                try Row.fetchOne(
                    database, sql: "SELECT rootpage, sql FROM sqlite_schema WHERE name = 'photographs_path'"))
            return (entry["rootpage"] as Int, entry["sql"] as String)
        }
        try folder.sql { database in
            try database.execute(
                sql: "PRAGMA writable_schema = ON; DELETE FROM sqlite_schema WHERE name = 'photographs_path'")
        }
        try folder.sql { database in
            try database.execute(
                sql: """
                    INSERT INTO photographs (source_path, source, size, modified_ns, changed_ns, inode, state, seen_at,
                        changed_at) VALUES (X'2F', '/', 0, 0, 0, 0, 'settling', '', '')
                    """)
        }
        try folder.sql { database in
            try database.execute(sql: "PRAGMA writable_schema = ON")
            try database.execute(
                sql: "INSERT INTO sqlite_schema VALUES ('index', 'photographs_path', 'photographs', ?, ?)",
                arguments: [page, text])
        }
    }

    @Test func theWeeklyCheckFindsWhatTheDailyOneDoesNot() throws {
        let folder = try LedgerFolder()
        let ledger = try folder.open()
        _ = try ledger.queue("/in/a.dng")
        let backup = try ledger.backUp()
        let moment = Date(timeIntervalSince1970: 1_800_000_000)
        #expect(Ledger.isThoroughCheckDue(in: folder.path, at: moment))
        try ledger.checkThoroughly()
        for (days, isDue) in [(0.0, false), (6.9, false), (7.1, true), (-1, true)] {
            #expect(Ledger.isThoroughCheckDue(in: folder.path, at: moment + days * 86400) == isDue)
        }
        try ledger.close()
        try loseAnIndexEntry(folder)
        // What the daemon would do in that week, and at its next start.
        let damaged = try folder.open()
        try damaged.check()
        let error = #expect(throws: LedgerError.self) { try damaged.checkThoroughly() }
        #expect(error?.code == .corrupt)
        try damaged.close()
        #expect(Ledger.isThoroughCheckDue(in: folder.path, at: moment))
        #expect(try Ledger.openOrRescue(in: folder.path, now: { moment }).rescue?.restored == backup)
    }

    @Test func aSmallLedgerIsCheckedThoroughlyAtEveryStart() throws {
        let folder = try LedgerFolder()
        let ledger = try folder.open()
        _ = try ledger.queue("/in/a.dng")
        let backup = try ledger.backUp()
        try ledger.checkThoroughly()
        try ledger.close()
        try loseAnIndexEntry(folder)
        let moment = Date(timeIntervalSince1970: 1_800_000_000)
        #expect(!Ledger.isThoroughCheckDue(in: folder.path, at: moment))
        #expect(try Ledger.openOrRescue(in: folder.path, now: { moment }).rescue?.restored == backup)
    }

    @Test func anAdoptedPhotographIsDoneAndItsFileRecognised() throws {
        let folder = try LedgerFolder()
        let ledger = try folder.open()
        #expect(try ledger.isEmpty())
        var output = OutputRecord.at("/out/a.tif")
        output.remark = "it needs nothing"
        let photograph = FinishedPhotograph(
            source: "/in/a.dng", contentHash: digest("1"), recipe: .standard, output: output)
        #expect(try ledger.adopt(photograph))
        #expect(try !ledger.adopt(photograph))
        let record = try #require(try ledger.history().first)
        #expect(record.status == .done && record.output == "/out/a.tif" && record.reason == "it needs nothing")
        #expect(record.noiseBefore == 12.5 && record.camera == "Canon EOS R5")
        let id = try ledger.queue("/in/a.dng", size: 7)
        #expect(
            try ledger.claim(id, contentHash: digest("1"), identity: .sized(7), recipe: .standard)
                == .unchanged(since: record.id))
        #expect(try ledger.sightings(of: ["/in/a.dng"])["/in/a.dng"]?.identity == .sized(7))
        try ledger.check(isThorough: true)
    }

    @Test func aTruncatedLedgerIsNotTakenForANewOne() throws {
        let folder = try LedgerFolder()
        let ledger = try folder.open()
        _ = try ledger.queue("/in/a.dng")
        try ledger.backUp()
        try ledger.close()
        try damage(folder) { $0 = Data() }
        let (restored, rescue) = try Ledger.openOrRescue(in: folder.path)
        #expect(rescue != nil)
        #expect(try restored.count(of: .queued) == 1)
    }

    @Test func withoutABackupANewLedgerBeginsAndTheOldOneStays() throws {
        let folder = try LedgerFolder()
        try folder.open().close()
        try damage(folder) { $0 = Data(repeating: 0x41, count: 8192) }
        let (ledger, rescue) = try Ledger.openOrRescue(in: folder.path)
        #expect(try ledger.history().isEmpty)
        #expect(rescue?.restored == nil)
        #expect(rescue?.description.contains("there was no backup") == true)
        #expect(try names(folder).contains { $0.hasPrefix("ledger.corrupt-") })
    }

    @Test func aDamagedBackupIsPassedOver() throws {
        let folder = try LedgerFolder()
        let ledger = try folder.open()
        let old = try ledger.backUp()
        folder.advance(by: 86400)
        let new = try ledger.backUp()
        try ledger.close()
        try Data(repeating: 0, count: 100).write(to: URL(fileURLWithPath: new.path.string))
        try damage(folder) { $0.replaceSubrange(0..<512, with: Data(repeating: 1, count: 512)) }
        #expect(try Ledger.openOrRescue(in: folder.path).rescue?.restored == old)
    }

    @Test func anotherProgramsDatabaseIsNeverMovedAside() throws {
        let folder = try LedgerFolder()
        try folder.sql { try $0.execute(sql: "CREATE TABLE theirs (x)") }
        let error = #expect(throws: LedgerError.self) { try Ledger.openOrRescue(in: folder.path) }
        #expect(error?.code == .foreign)
        #expect(try names(folder) == ["ledger.sqlite"])
    }

    @Test func onlyAWeekOfDailyBackupsIsKept() throws {
        let folder = try LedgerFolder()
        let ledger = try folder.open()
        let first = try ledger.backUp(label: "v1")
        for _ in 1...9 {
            folder.advance(by: 86400)
            try ledger.backUp()
        }
        let backups = Ledger.backups(in: folder.path)
        #expect(backups.count == 8)
        #expect(backups.last == first)
    }

    @Test func anOlderLedgerIsBackedUpAndThenMigrated() throws {
        let folder = try LedgerFolder()
        let id: Int64
        do {
            let ledger = try folder.open()
            id = try ledger.queue("/in/a.dng")
            try ledger.close()
        }
        try folder.sql { database in
            try database.execute(
                sql: "DROP TABLE retries; DROP TABLE trial_figures; DROP TABLE trials; PRAGMA user_version = 1")
        }
        let ledger = try folder.open()
        #expect(try ledger.fail(id, reason: "no", retry: .patient) == .retry(after: .seconds(60)))
        let backup = try #require(Ledger.backups(in: folder.path).first)
        #expect(backup.path.lastComponent?.string.hasSuffix("-v1.sqlite") == true)
        let version = try DatabaseQueue(path: backup.path.string).read {
            try Int.fetchOne($0, sql: "PRAGMA user_version")
        }
        #expect(version == 1)
    }

    @Test func aLockedLedgerSaysSoAfterItsPatience() throws {
        let folder = try LedgerFolder()
        let ledger = try Ledger.open(in: folder.path, patience: .milliseconds(20))
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let other = try DatabaseQueue(path: folder.file.string, configuration: configuration)
        try other.inDatabase { try $0.execute(sql: "BEGIN EXCLUSIVE") }
        let error = #expect(throws: LedgerError.self) { try ledger.queue("/in/a.dng") }
        #expect(error?.code == .busy)
        #expect(error?.isPassing == true)
        try other.inDatabase { try $0.execute(sql: "COMMIT") }
        #expect(throws: Never.self) { try ledger.queue("/in/a.dng") }
    }

    @Test func onlyUnreferencedEndsAreForgotten() throws {
        let folder = try LedgerFolder()
        let ledger = try folder.open()
        let done = try ledger.complete("/in/a.dng", content: digest("1"))
        let copy = try ledger.queue("/in/b.dng")
        _ = try ledger.claim(copy, contentHash: digest("1"), identity: .sized(1), recipe: .standard)
        let waiting = try ledger.queue("/in/c.dng")
        folder.advance(by: 100)
        let moment = Date(timeIntervalSince1970: 1_800_000_050)
        #expect(try ledger.finished(before: moment).map(\.id) == [copy])
        try ledger.forget([done, copy, waiting])
        #expect(try ledger.history().map(\.id).sorted() == [done, waiting])
        #expect(try ledger.finished(before: moment).map(\.id) == [done])
    }
}
