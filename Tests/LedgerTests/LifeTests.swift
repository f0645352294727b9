import GRDB
@testable import Ledger
import SystemPackage
import Testing

/// The life of a photograph, from the inbox to its end.
@Suite struct LifeTests {
    @Test func photographsLeaveTheQueueInTheOrderOfTheirArrival() throws {
        let ledger = try LedgerFolder().open()
        try ledger.apply((1...5).map { .queued(FilePath("/in/\(9 - $0).dng"), .sized($0)) })
        var order: [String] = []
        while let next = try ledger.nextQueued() {
            order.append(next.path.lastComponent?.string ?? "")
            try ledger.giveUp(next.id, as: .skipped, reason: "no")
        }
        #expect(order == ["8.dng", "7.dng", "6.dng", "5.dng", "4.dng"])
    }

    /// Readers get their turn between two commits.
    @Test func tenThousandFilesAtOnceAreNoTransactionOfTheirOwn() throws {
        final class Commits: TransactionObserver {
            var count = 0

            func observes(eventsOfKind eventKind: DatabaseEventKind) -> Bool { true }
            func databaseDidChange(with event: DatabaseEvent) {}
            func databaseDidCommit(_ database: Database) { count += 1 }
            func databaseDidRollback(_ database: Database) {}
        }
        let ledger = try LedgerFolder().open()
        let commits = Commits()
        ledger.database.add(transactionObserver: commits, extent: .databaseLifetime)
        let count = 3 * Ledger.longestTransaction + 1
        try ledger.apply((0..<count).map { .queued(FilePath("/in/\($0).dng"), .sized(Int64($0))) })
        #expect(try ledger.count(of: .queued) == count)
        #expect(commits.count == 4)
        #expect(try ledger.nextQueued()?.path == "/in/0.dng")
    }

    @Test func namesKeepTheirBytes() throws {
        let folder = try LedgerFolder()
        // "/a", 0xFF, a newline, "b".
        let path = FilePath(platformString: [0x2F, 0x61, .init(truncatingIfNeeded: 0xFF), 0x0A, 0x62, 0])
        let ledger = try folder.open()
        let id = try ledger.queue(path)
        #expect(try ledger.nextQueued()?.path == path)
        #expect(try ledger.show(id).path == path)
        #expect(try ledger.show(id).record.source.contains("\u{FFFD}"))
    }

    @Test func doneNeedsAPublishedOutputAndKeepsTheMetrics() throws {
        let folder = try LedgerFolder()
        let ledger = try folder.open()
        let id = try ledger.queue("/in/a.dng")
        let claim = try ledger.claim(id, contentHash: digest("1"), identity: .sized(1), recipe: .standard)
        #expect(claim == .started(attempt: 1))
        #expect(try ledger.show(id).record.status == .running)
        #expect(throws: LedgerError.self) { try ledger.finish(id) }
        try ledger.prepare(id, output: .at("/out/a.tiff", metrics: ["noise_before": 12.5, "seam": .nan]))
        #expect(try ledger.show(id).record.status == .verifying)
        #expect(try ledger.show(id).record.output == nil)
        try ledger.finish(id)
        let details = try ledger.show(id)
        #expect(details.record.status == .done)
        #expect(details.record.output == "/out/a.tiff")
        #expect(details.metrics == ["noise_before": 12.5])
        #expect(details.record.camera == "Canon EOS R5")
        #expect(details.attempts.map(\.outcome) == ["done"])
    }

    @Test func theSameContentAndRecipeIsADuplicate() throws {
        let ledger = try LedgerFolder().open()
        let first = try ledger.complete("/in/a.dng", content: digest("1"))
        let second = try ledger.queue("/in/b.dng")
        let claim = try ledger.claim(second, contentHash: digest("1"), identity: .sized(1), recipe: .standard)
        #expect(claim == .duplicate(of: first))
        #expect(try ledger.show(second).record.status == .duplicate)
        #expect(try ledger.show(second).record.attempts == 0)
    }

    @Test func anotherRecipeIsAnotherPhotograph() throws {
        let ledger = try LedgerFolder().open()
        _ = try ledger.complete("/in/a.dng", content: digest("1"))
        let second = try ledger.queue("/in/b.dng")
        var recipe = Recipe.standard
        recipe.hash = digest("d")
        let claim = try ledger.claim(second, contentHash: digest("1"), identity: .sized(1), recipe: recipe)
        #expect(claim == .started(attempt: 1))
    }

    /// The camera is known only when the file was read; then its recipe counts.
    @Test func theRecipeOfTheCameraTakesThePlaceOfTheClaimedOne() throws {
        let ledger = try LedgerFolder().open()
        let own = Recipe(hash: digest("d"), modelName: "own", modelHash: digest("e"), preset: "best")
        let id = try ledger.queue("/in/a.dng")
        #expect(try ledger.camera(ofContent: digest("1")) == nil)
        _ = try ledger.claim(id, contentHash: digest("1"), identity: .sized(1), recipe: .standard)
        try ledger.prepare(id, output: .at("/out/a.tiff"), recipe: own)
        try ledger.finish(id)
        #expect(try ledger.show(id).record.model == "own")
        #expect(try ledger.done(contentHash: digest("1"), recipeHash: own.hash) == id)
        #expect(try ledger.done(contentHash: digest("1"), recipeHash: Recipe.standard.hash) == nil)
        #expect(try ledger.camera(ofContent: digest("1")) == "Canon EOS R5")
    }

    /// Its content and recipe are another photograph's, which a note that lies about the camera can bring about.
    @Test func aRecipeThatIsTakenLeavesTheClaimedOne() throws {
        let ledger = try LedgerFolder().open()
        _ = try ledger.complete("/in/a.dng", content: digest("1"))
        let claimed = Recipe(hash: digest("d"), modelName: "own", modelHash: digest("e"), preset: "best")
        let second = try ledger.queue("/in/b.dng")
        _ = try ledger.claim(second, contentHash: digest("1"), identity: .sized(1), recipe: claimed)
        try ledger.prepare(second, output: .at("/out/b.tiff"), recipe: .standard)
        try ledger.finish(second)
        let details = try ledger.show(second)
        #expect(details.recipeHash == claimed.hash && details.record.model == Recipe.standard.modelName)
    }

    @Test func aTouchedFileLeavesNoSecondRow() throws {
        let ledger = try LedgerFolder().open()
        let first = try ledger.complete("/in/a.dng", content: digest("1"))
        let again = try ledger.queue("/in/a.dng", size: 2)
        #expect(again != first)
        let claim = try ledger.claim(again, contentHash: digest("1"), identity: .sized(2), recipe: .standard)
        #expect(claim == .unchanged(since: first))
        #expect(
            try ledger.sightings(of: ["/in/a.dng"])["/in/a.dng"]
                == Sighting(
                    id: first, state: .done, identity: .sized(2)))
    }

    @Test func anOutputInTheInboxIsSkipped() throws {
        let folder = try LedgerFolder()
        let ledger = try folder.open()
        let first = try ledger.complete("/in/a.dng", content: digest("1"))
        let output = try folder.sql { try String.fetchOne($0, sql: "SELECT hash FROM outputs") } ?? ""
        let second = try ledger.queue("/in/a-denoised.tiff")
        let claim = try ledger.claim(second, contentHash: output, identity: .sized(1), recipe: .standard)
        #expect(claim == .output(of: first))
        #expect(try ledger.show(second).record.status == .skipped)
    }

    @Test func aPhotographThatChangedWhileItWaitedIsWithdrawn() throws {
        let ledger = try LedgerFolder().open()
        let id = try ledger.queue("/in/a.dng")
        try ledger.apply([.settling("/in/a.dng", .sized(2))])
        let claim = try ledger.claim(id, contentHash: digest("1"), identity: .sized(1), recipe: .standard)
        #expect(claim == .withdrawn)
        #expect(try ledger.fail(id, reason: "no", retry: nil) == .withdrawn)
        #expect(try ledger.show(id).record.status == .settling)
    }

    @Test func aFileThatVanishesWhileSettlingIsForgotten() throws {
        let ledger = try LedgerFolder().open()
        try ledger.apply([.settling("/in/a.dng", .sized(1)), .vanished("/in/a.dng")])
        #expect(try ledger.history().isEmpty)
    }

    @Test func aFailedFileThatChangesSettlesAgainInItsRow() throws {
        let ledger = try LedgerFolder().open()
        let id = try ledger.queue("/in/a.dng")
        _ = try ledger.claim(id, contentHash: digest("1"), identity: .sized(1), recipe: .standard)
        _ = try ledger.fail(id, reason: "half a file", retry: .patient)
        #expect(try ledger.queue("/in/a.dng", size: 2) == id)
        let claim = try ledger.claim(id, contentHash: digest("2"), identity: .sized(2), recipe: .standard)
        #expect(claim == .started(attempt: 2))
    }

    @Test func runningPhotographsQueueAgainAfterAKill() throws {
        let folder = try LedgerFolder()
        var ledger = try folder.open()
        let first = try ledger.queue("/in/a.dng")
        let second = try ledger.queue("/in/b.dng")
        _ = try ledger.claim(first, contentHash: digest("1"), identity: .sized(1), recipe: .standard)
        try ledger.close()
        ledger = try folder.open()
        #expect(try ledger.recover(maximumInterruptions: 3).requeued == [first])
        #expect(try ledger.nextQueued()?.id == first)
        #expect(try ledger.show(first).attempts.map(\.outcome) == ["interrupted"])
        #expect(try ledger.show(second).record.status == .queued)
    }

    @Test func aPhotographThatAlwaysEndsTheDaemonIsQuarantined() throws {
        let ledger = try LedgerFolder().open()
        let id = try ledger.queue("/in/a.dng")
        for attempt in 1...3 {
            let claim = try ledger.claim(id, contentHash: digest("1"), identity: .sized(1), recipe: .standard)
            #expect(claim == .started(attempt: attempt))
            let recovery = try ledger.recover(maximumInterruptions: 3)
            #expect(recovery.quarantined == (attempt == 3 ? [id] : []))
        }
        #expect(try ledger.show(id).record.status == .quarantined)
    }

    @Test func anUnconfirmedOutputIsReportedAfterAKill() throws {
        let ledger = try LedgerFolder().open()
        let id = try ledger.queue("/in/a.dng")
        _ = try ledger.claim(id, contentHash: digest("1"), identity: .sized(1), recipe: .standard)
        try ledger.prepare(id, output: .at("/out/a.tiff"))
        let pending = try ledger.recover(maximumInterruptions: 3).pending
        #expect(pending == [PendingOutput(id: id, path: "/out/a.tiff", hash: digest("c"))])
        try ledger.setBack(id, .abandoned)
        #expect(try ledger.nextQueued()?.id == id)
        #expect(try ledger.recover(maximumInterruptions: 3).pending.isEmpty)
    }

    @Test func retryQueuesFailuresAndRefusesTheRest() throws {
        let ledger = try LedgerFolder().open()
        let done = try ledger.complete("/in/a.dng", content: digest("1"))
        let failed = try ledger.queue("/in/b.dng")
        _ = try ledger.fail(failed, reason: "no", retry: .patient)
        let error = #expect(throws: LedgerError.self) { try ledger.retry([failed, done]) }
        #expect(error?.code == .wrongState)
        #expect(try ledger.show(failed).record.status == .failed)
        #expect(try ledger.retryFailed() == [failed])
        #expect(try ledger.show(failed).record.status == .queued)
        #expect(throws: LedgerError.self) { try ledger.retry([77]) }
    }
}
