import Foundation
import Ledger
import SystemPackage
import Synchronization
import Testing

@testable import DenoiseService

/// A whole daemon whose wall clock jumps while it works: a flat battery, a time server, summer time done wrong.
@Suite struct ClockTests {
    /// Files of the future and of 1970, and a wall clock that jumps by so many days at every question.
    @Test(arguments: [[0, -40 * 365], [40 * 365, 0], [-20_000, 1, -2]])
    func everyPhotographIsDoneOnceWhateverTheClockSays(jumps: [Int]) async throws {
        let folder = try ServiceFolder()
        for (name, year) in [("past", -1_800_000_000.0), ("now", 0), ("future", 86400 * 365 * 73)] {
            try folder.put(name, as: "\(name).png")
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: 1_800_000_000 + year)],
                ofItemAtPath: folder.inbox.appending("\(name).png").string)
        }
        let count = Mutex(0)
        let ledger = try Ledger.open(in: folder.state) {
            let jump = count.withLock { number in
                number += 1
                return jumps[number % jumps.count]
            }
            return Date(timeIntervalSince1970: 1_800_000_000 + Double(jump) * 86400)
        }
        let denoiser = FakeDenoiser()
        let daemon = try Daemon(
            configuration: folder.configuration, denoiser: denoiser, ledger: ledger,
            lock: try Daemon.lock(folder.configuration), logger: .silent, manager: ServiceManager(environment: [:]))
        let outcome = try await daemon.run(oneshot: true)
        #expect(outcome == Daemon.Outcome(finished: 3, failed: 0, waiting: 0))
        #expect(denoiser.photographs.count == 3)
        #expect(try folder.history().sorted() == ["future.png done", "now.png done", "past.png done"])
    }

    /// The pause of a retry is over by the monotonic clock, and one that a jump made endless is cut.
    @Test(arguments: [-40 * 365, 0, 40 * 365])
    func aRetryIsNeverFurtherAwayThanThePause(days: Int) throws {
        let folder = try ServiceFolder()
        let moment = Mutex(Date(timeIntervalSince1970: 1_800_000_000))
        let ledger = try Ledger.open(in: folder.state) { moment.withLock { $0 } }
        try folder.put("one", as: "a.png")
        let path = folder.inbox.appending("a.png")
        try ledger.apply([.queued(path, try ContentHash(of: path).identity)])
        let policy = RetryPolicy(maximumAttempts: 5, backoff: .seconds(60))
        #expect(try ledger.fail(1, reason: "no", retry: policy) == .retry(after: .seconds(60)))
        moment.withLock { $0 += Double(days) * 86400 }
        let schedule = RetrySchedule(try ledger.pendingRetries(), at: .seconds(5))
        let next = try #require(schedule.next)
        #expect(next >= .seconds(5) && next <= .seconds(5) + .seconds(6 * 3600))
    }
}
