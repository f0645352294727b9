import Foundation
import Ledger
import SystemPackage
import Testing

@testable import DenoiseService

@Suite struct StabilityTests {
    private let delay = Duration.seconds(5)

    private func file(_ size: Int64, modified: Int64 = 0, changed: Int64 = 0) -> FileIdentity {
        FileIdentity(size: size, modified: modified, changed: changed, inode: 1)
    }

    @Test func aStillFileIsStableAfterTheDelay() {
        var tracker = StabilityTracker()
        _ = tracker.observe("/a", file(1), at: .zero, delay: delay)
        #expect(tracker.due(at: .seconds(4.9)).isEmpty)
        #expect(tracker.due(at: .seconds(5)) == ["/a"])
        let isStable = tracker.confirm("/a", file(1), at: .seconds(5))
        #expect(isStable)
        #expect(tracker.isEmpty)
    }

    @Test(arguments: [
        FileIdentity(size: 2, modified: 0, changed: 0, inode: 1),
        FileIdentity(size: 1, modified: 9, changed: 0, inode: 1),
        FileIdentity(size: 1, modified: 0, changed: 9, inode: 1),
        FileIdentity(size: 1, modified: 0, changed: 0, inode: 2),
    ])
    func anyChangeStartsTheDelayAgain(change: FileIdentity) {
        var tracker = StabilityTracker()
        _ = tracker.observe("/a", file(1), at: .zero, delay: delay)
        let isNews = tracker.observe("/a", change, at: .seconds(4), delay: delay)
        #expect(isNews)
        #expect(tracker.due(at: .seconds(8.9)).isEmpty)
        #expect(tracker.due(at: .seconds(9)) == ["/a"])
    }

    @Test func aSlowUploadIsWaitedFor() {
        var tracker = StabilityTracker()
        for second in 0..<20 {
            _ = tracker.observe("/a", file(Int64(second)), at: .seconds(second * 2), delay: delay)
            #expect(tracker.due(at: .seconds(second * 2 + 1)).isEmpty)
        }
        #expect(tracker.deadline == .seconds(43))
    }

    @Test func aChangeSeenAtTheLastLookKeepsTheFile() {
        var tracker = StabilityTracker()
        _ = tracker.observe("/a", file(1), at: .zero, delay: delay)
        let isStable = tracker.confirm("/a", file(2), at: .seconds(5))
        #expect(!isStable)
        #expect(tracker.due(at: .seconds(10)) == ["/a"])
    }

    @Test func filesAreStableInTheOrderOfTheirArrival() {
        var tracker = StabilityTracker()
        for name in ["/c", "/a", "/b"] { _ = tracker.observe(FilePath(name), file(1), at: .zero, delay: .seconds(1)) }
        #expect(tracker.due(at: .seconds(1)) == ["/c", "/a", "/b"])
    }

    @Test func onlyTimesInThePastProveStillness() {
        let now = Date(timeIntervalSince1970: 1000)
        #expect(IntakeLoop.quietTime(file(1, modified: 0, changed: 990_000_000_000), at: now) == .seconds(10))
        #expect(IntakeLoop.quietTime(file(1, modified: 4_000_000_000_000, changed: 0), at: now) == .zero)
    }

    @Test func eventsAndClockDriveTheIntake() throws {
        let folder = try ServiceFolder()
        var configuration = folder.configuration
        // Longer than any test takes, so that only the injected clock can end it.
        configuration.watch.stabilityDelay = .seconds(3600)
        configuration.watch.rescanInterval = .seconds(1_000_000)
        let ledger = try folder.ledger()
        var loop = IntakeLoop(configuration, ledger: ledger, logger: .silent, watches: true)
        let atStart = try loop.rescan(at: .zero)
        #expect(!atStart)
        try folder.put("one", as: "a.png")
        let whenWritten = try loop.step(at: .seconds(1))
        #expect(!whenWritten)
        #expect(try ledger.count(of: .settling) == 1)
        try folder.put("one more", as: "a.png")
        let whenWrittenAgain = try loop.step(at: .seconds(3000))
        #expect(!whenWrittenAgain)
        let afterOneDelay = try loop.step(at: .seconds(3602))
        #expect(!afterOneDelay)
        let afterBothDelays = try loop.step(at: .seconds(6600))
        #expect(afterBothDelays)
        #expect(try ledger.count(of: .queued) == 1)
    }

    @Test func foldersThatAppearAreWatched() throws {
        let folder = try ServiceFolder()
        let ledger = try folder.ledger()
        var loop = IntakeLoop(folder.configuration, ledger: ledger, logger: .silent, watches: true)
        _ = try loop.rescan(at: .zero)
        try folder.put("one", as: "trip/day/a.png")
        _ = try loop.step(at: .seconds(1))
        try folder.put("two", as: "trip/day/b.png")
        _ = try loop.step(at: .seconds(2))
        _ = try loop.step(at: .seconds(3))
        #expect(try ledger.count(of: .queued) == 2)
    }

    @Test func filesThatVanishAreForgotten() throws {
        let folder = try ServiceFolder()
        var configuration = folder.configuration
        configuration.watch.stabilityDelay = .seconds(3600)
        let ledger = try folder.ledger()
        try folder.put("one", as: "a.png")
        var loop = IntakeLoop(configuration, ledger: ledger, logger: .silent, watches: false)
        _ = try loop.rescan(at: .zero)
        #expect(try ledger.count(of: .settling) == 1)
        try FileManager.default.removeItem(atPath: folder.inbox.appending("a.png").string)
        _ = try loop.step(at: .seconds(3600))
        #expect(try ledger.history().isEmpty)
    }
}
