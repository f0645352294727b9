import Denoising
import Foundation
import Imaging
@testable import Ledger
import SystemPackage
import Testing

@testable import DenoiseService

/// What errors lead to, and when photographs are tried again.
@Suite struct RetryTests {
    private static func imaging(_ code: ImagingError.Code, errno: Errno? = nil) -> ImagingError {
        ImagingError(code, .decode, file: "a.dng", cause: "it is so", remedy: "do this", errno: errno)
    }

    static let kinds: [(any Error, Duration, Failure.Kind)] = [
        (imaging(.malformed), .seconds(1), .transient),
        (imaging(.malformed), .seconds(599), .transient),
        // A clock that is ahead of the server's.
        (imaging(.malformed), .seconds(-60), .transient),
        (imaging(.malformed), .seconds(601), .permanent),
        (imaging(.malformed), .seconds(-86400), .permanent),
        (imaging(.unsupported), .seconds(1), .permanent),
        (imaging(.limitExceeded), .seconds(1), .permanent),
        (imaging(.outOfMemory), .seconds(1e6), .twice),
        (imaging(.decoderCrashed), .seconds(1), .twice),
        (imaging(.decoderTimedOut), .seconds(1e6), .twice),
        (imaging(.decoderUnavailable), .seconds(1e6), .transient),
        (imaging(.unconfined), .seconds(1), .permanent),
        (imaging(.notARegularFile), .seconds(1e6), .irregular),
        (imaging(.changedWhileReading), .seconds(1e6), .changed),
        (imaging(.readFailed, errno: .ioError), .seconds(1e6), .transient),
        (imaging(.readFailed, errno: .permissionDenied), .seconds(1e6), .transient),
        (imaging(.readFailed, errno: .noSuchFileOrDirectory), .seconds(1e6), .vanished),
        (imaging(.writeFailed, errno: .noSpace), .seconds(1e6), .noSpace),
        (imaging(.writeFailed, errno: .diskQuotaExceeded), .seconds(1e6), .noSpace),
        (imaging(.writeFailed, errno: .permissionDenied), .seconds(1e6), .noOutput(.permissionDenied)),
        (imaging(.writeFailed, errno: .readOnlyFileSystem), .seconds(1e6), .noOutput(.readOnlyFileSystem)),
        // The photograph is still there.
        (imaging(.writeFailed, errno: .noSuchFileOrDirectory), .seconds(1e6), .transient),
        (
            ServiceError.inaccessible("/out", "write outputs", .permissionDenied, code: .unwritableOutput),
            .seconds(1e6), .noOutput(.permissionDenied)
        ),
        (ServiceError.inaccessible("/out/2026/a.tif", "write", .permissionDenied), .seconds(1e6), .transient),
        (ServiceError.inaccessible("/in/a.dng", "read the file", .ioError), .seconds(1e6), .transient),
        (ServiceError.inaccessible("/out", "write the output", .noSpace), .seconds(1e6), .noSpace),
        (FakeDenoiser.NotAPhotograph(), .seconds(1e6), .transient),
    ]

    @Test(arguments: kinds.indices) func everyErrorHasItsConsequence(index: Int) {
        let (error, age, kind) = Self.kinds[index]
        #expect(Failure(error, age: age).kind == kind)
    }

    @Test func reasonsAreOneLine() {
        #expect(Failure(FakeDenoiser.NotAPhotograph(), age: .zero).reason == "not a photograph; replace it")
    }

    @Test func photographsAreDueInTheOrderOfTheirPauses() {
        var schedule = RetrySchedule([PendingRetry(id: 1, remaining: .seconds(30))], at: .seconds(100))
        schedule.add(2, after: .seconds(10), at: .seconds(100))
        #expect(schedule.next == .seconds(110))
        let early = schedule.take(at: .seconds(109))
        let late = schedule.take(at: .seconds(130))
        #expect(early == [])
        #expect(late == [2, 1])
        #expect(schedule.next == nil)
    }

    @Test func afterAFullDiskOneAttemptIsMadeAfterThePauseOrWhenSpaceReturns() {
        let failure = Failure(Self.imaging(.writeFailed, errno: .noSpace), age: .zero)
        var gate = OutputGate(minimum: 100, pause: .seconds(60))
        func opens(_ free: Int64?, _ seconds: Int) -> Bool { gate.isOpen(free: free, at: .seconds(seconds)) }
        #expect([opens(100, 0), opens(99, 0)] == [true, false])
        gate.fail(failure, free: 1000, at: .seconds(10))
        #expect([opens(1000, 69), opens(nil, 69), opens(1000, 70)] == [false, false, true])
        gate.fail(failure, free: 1000, at: .seconds(70))
        #expect(opens(1000 + OutputGate.relief, 71))
    }

    @Test func aTransientFailureIsTriedAgainWhenItsPauseIsOver() async throws {
        let folder = try ServiceFolder()
        try folder.put("one", as: "a.png")
        let failing = FakeDenoiser { _ in throw Self.imaging(.readFailed, errno: .ioError) }
        let outcome = try await folder.drain(failing)
        #expect(outcome.failed == 1)
        #expect(try folder.history() == ["a.png failed"])
        try await folder.drain(FakeDenoiser(), later: 3600)
        #expect(try folder.history() == ["a.png done"])
    }

    @Test func whatAttemptsDoNotHelpIsQuarantined() async throws {
        let folder = try ServiceFolder()
        try folder.put("one", as: "a.png")
        var configuration = folder.configuration
        configuration.limits.maximumAttempts = 1
        try await folder.drain(FakeDenoiser { _ in throw Self.imaging(.outOfMemory) }, configuration)
        #expect(try folder.history() == ["a.png quarantined"])
        try folder.put("two", as: "b.png")
        try await folder.drain(FakeDenoiser { _ in throw Self.imaging(.unsupported) })
        #expect(try folder.history() == ["a.png quarantined", "b.png quarantined"])
    }

    @Test func aPhotographThatEndsItsDecoderIsTriedTwice() async throws {
        let folder = try ServiceFolder()
        try folder.put("one", as: "a.png")
        let crashing = FakeDenoiser { _ in throw Self.imaging(.decoderCrashed) }
        try await folder.drain(crashing)
        #expect(try folder.history() == ["a.png failed"])
        try await folder.drain(crashing, later: 3600)
        #expect(try folder.history() == ["a.png quarantined"])
        try await folder.drain(crashing, later: 86400)
        #expect(crashing.photographs.count == 2)
        #expect(try folder.ledger().show(1).record.reason?.hasSuffix("(2 attempts)") == true)
    }

    @Test(arguments: [
        (ImagingError.Code.readFailed, "cancelled"), (.notARegularFile, "skipped"), (.changedWhileReading, "settling"),
    ])
    func whatHappensToTheFileDuringTheWorkIsRecorded(code: ImagingError.Code, state: String) async throws {
        let folder = try ServiceFolder()
        try folder.put("one", as: "a.png")
        try await folder.drain(FakeDenoiser { _ in throw Self.imaging(code, errno: .noSuchFileOrDirectory) })
        #expect(try folder.history() == ["a.png \(state)"])
        #expect(try folder.ledger().show(1).attempts.allSatisfy { $0.finishedAt != nil })
    }

    @Test func aFullDiskPostponesThePhotographWithoutBlame() async throws {
        let folder = try ServiceFolder()
        try folder.put("one", as: "a.png")
        let error = await #expect(throws: ServiceError.self) {
            try await folder.drain(FakeDenoiser { _ in throw Self.imaging(.writeFailed, errno: .noSpace) })
        }
        #expect(error?.code == .noSpace)
        #expect(try folder.history() == ["a.png queued"])
        #expect(try folder.outputs() == [])
        try await folder.drain(FakeDenoiser())
        #expect(try folder.history() == ["a.png done"])
    }

    @Test func anOutputThatCannotBePublishedIsRecordedAsAFailure() async throws {
        let folder = try ServiceFolder()
        try folder.put("one", as: "trip/a.png")
        var configuration = folder.configuration
        configuration.watch.isRecursive = true
        // Where the folder of its output should be.
        try write("a file".utf8, to: folder.output.appending("trip"))
        let outcome = try await folder.drain(FakeDenoiser(), configuration)
        #expect(outcome.failed == 1)
        #expect(try folder.history() == ["a.png failed"])
    }

    @Test func anOutputFolderWithoutRightsPostponesThePhotographWithoutBlame() async throws {
        let folder = try ServiceFolder()
        try folder.put("one", as: "a.png")
        let error = await #expect(throws: ServiceError.self) {
            try await folder.drain(FakeDenoiser { _ in throw Self.imaging(.writeFailed, errno: .permissionDenied) })
        }
        #expect(error?.code == .unwritableOutput && error?.subject == folder.output.string)
        #expect(try folder.history() == ["a.png queued"])
        try await folder.drain(FakeDenoiser())
        #expect(try folder.history() == ["a.png done"])
    }

    @Test func aLedgerThatIsLockedForAWhileIsWaitedFor() throws {
        let progress = ServiceProgress()
        var attempts = 0
        let patience = LedgerPatience(progress: progress, isStopping: { false }, pause: {})
        let busy = LedgerError(.busy, subject: "ledger", cause: "locked", remedy: "wait")
        let value = try patience.insist {
            attempts += 1
            if attempts < 3 { throw busy }
            #expect(progress.snapshot.warnings["ledger"] == "\(busy)")
            return 7
        }
        #expect(value == 7)
        #expect(progress.snapshot.warnings.isEmpty)
        let stopping = LedgerPatience(progress: progress, isStopping: { true }, pause: {})
        #expect(throws: LedgerError.self) { try stopping.insist { throw busy } }
    }

    @Test func anOutputThatSurvivedItsLedgerIsRecognised() async throws {
        let folder = try ServiceFolder()
        try folder.put("one", as: "a.png")
        try await folder.drain(FakeDenoiser())
        try FileManager.default.removeItem(atPath: folder.state.appending(Ledger.fileName).string)
        try await folder.drain(FakeDenoiser())
        #expect(try folder.outputs() == ["denoised-a.tiff"])
        #expect(try folder.history() == ["a.png done"])
    }
}
