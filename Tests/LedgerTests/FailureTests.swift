import Foundation
import GRDB
@testable import Ledger
import SystemPackage
import Testing

@Suite struct FailureTests {
    @Test func pausesDoubleUpToTheirLimit() {
        let policy = RetryPolicy(maximumAttempts: 9, backoff: .seconds(60))
        #expect((1...4).map(policy.pause) == [.seconds(60), .seconds(120), .seconds(240), .seconds(480)])
        #expect(policy.pause(afterFailures: 1000) == .seconds(6 * 3600))
    }

    @Test func failuresInARowLeadToQuarantine() throws {
        let ledger = try LedgerFolder().open()
        let id = try ledger.queue("/in/a.dng")
        for attempt in 1...3 {
            let claim = try ledger.claim(id, contentHash: digest("1"), identity: .sized(1), recipe: .standard)
            #expect(claim == .started(attempt: attempt))
            let end = try ledger.fail(id, reason: "input/output error", retry: .patient)
            #expect(end == (attempt < 3 ? .retry(after: .seconds(60 * attempt)) : .quarantined))
            try ledger.resume([id])
        }
        let details = try ledger.show(id)
        #expect(details.record.status == .quarantined)
        #expect(details.record.reason == "input/output error (3 attempts)")
        #expect(details.attempts.map(\.outcome) == ["failed", "failed", "failed"])
    }

    @Test func whatCannotPassIsQuarantinedAtOnce() throws {
        let ledger = try LedgerFolder().open()
        let id = try ledger.queue("/in/a.dng")
        #expect(try ledger.fail(id, reason: "412 MP exceeds the limit", retry: nil) == .quarantined)
        #expect(try ledger.pendingRetries().isEmpty)
    }

    @Test func pendingRetriesSurviveARestartAndClockJumps() throws {
        let folder = try LedgerFolder()
        let ledger = try folder.open()
        let id = try ledger.queue("/in/a.dng")
        _ = try ledger.fail(id, reason: "no", retry: .patient)
        #expect(try ledger.pendingRetries() == [PendingRetry(id: id, remaining: .seconds(60))])
        #expect(try ledger.show(id).retryAt != nil)
        folder.advance(by: 45)
        #expect(try ledger.pendingRetries() == [PendingRetry(id: id, remaining: .seconds(15))])
        folder.advance(by: 1e6)
        #expect(try ledger.pendingRetries() == [PendingRetry(id: id, remaining: .zero)])
        folder.advance(by: -3e7)
        #expect(try ledger.pendingRetries() == [PendingRetry(id: id, remaining: .seconds(6 * 3600))])
    }

    @Test func anotherContentOrARequestBeginsWithFreshAttempts() throws {
        let ledger = try LedgerFolder().open()
        let id = try ledger.queue("/in/a.dng")
        for _ in 1...2 {
            _ = try ledger.fail(id, reason: "no", retry: .patient)
            try ledger.resume([id])
        }
        #expect(try ledger.queue("/in/a.dng", size: 2) == id)
        #expect(try ledger.fail(id, reason: "no", retry: .patient) == .retry(after: .seconds(60)))
        try ledger.retry([id])
        #expect(try ledger.fail(id, reason: "no", retry: .patient) == .retry(after: .seconds(60)))
    }

    @Test func aChangedFileIsNoLongerDue() throws {
        let ledger = try LedgerFolder().open()
        let id = try ledger.queue("/in/a.dng")
        _ = try ledger.fail(id, reason: "no", retry: .patient)
        try ledger.apply([.settling("/in/a.dng", .sized(2))])
        try ledger.resume([id])
        #expect(try ledger.show(id).record.status == .settling)
    }

    @Test func quarantineIsReleasedOrGivenUp() throws {
        let ledger = try LedgerFolder().open()
        let ids = try (1...3).map { try ledger.queue(FilePath("/in/\($0).dng")) }
        for id in ids { _ = try ledger.fail(id, reason: "no", retry: nil) }
        #expect(try ledger.release([ids[0]]) == [ids[0]])
        #expect(try ledger.nextQueued()?.id == ids[0])
        let error = #expect(throws: LedgerError.self) { try ledger.purge([ids[0]]) }
        #expect(error?.code == .wrongState)
        #expect(try ledger.purge([ids[1]]) == [ids[1]])
        #expect(try ledger.show(ids[1]).record.status == .skipped)
        #expect(try ledger.show(ids[1]).record.reason == "purged from quarantine: no")
        #expect(try ledger.release(nil) == [ids[2]])
        #expect(throws: LedgerError.self) { try ledger.release([99]) }
    }

    @Test func aPostponedPhotographIsNextAndNotToBlame() throws {
        let ledger = try LedgerFolder().open()
        let first = try ledger.queue("/in/a.dng")
        _ = try ledger.queue("/in/b.dng")
        _ = try ledger.claim(first, contentHash: digest("1"), identity: .sized(1), recipe: .standard)
        try ledger.setBack(first, .postponed(reason: "no space left on device"))
        #expect(try ledger.nextQueued()?.id == first)
        #expect(try ledger.show(first).attempts.map(\.reason) == ["no space left on device"])
        #expect(try ledger.fail(first, reason: "no", retry: .patient) == .retry(after: .seconds(60)))
    }

    @Test func photographsOfAFolderThatIsAwayArePassedOver() throws {
        let ledger = try LedgerFolder().open()
        let away = try ledger.queue("/mnt/a.dng")
        let here = try ledger.queue("/mnt2/b.dng")
        #expect(try ledger.nextQueued(outside: ["/mnt"])?.id == here)
        #expect(try ledger.nextQueued(outside: ["/mnt", "/mnt2"]) == nil)
        #expect(try ledger.nextQueued()?.id == away)
    }
}
