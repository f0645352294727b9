import Foundation
import Ledger
import Synchronization
import SystemPackage
import Testing

@testable import DenoiseService

/// The control socket and what is asked through it.
@Suite struct ControlTests {
    private func controller(_ ledger: Ledger, _ gate: PauseGate, _ clock: Clock) -> Controller {
        Controller(
            ledger: ledger, gate: gate, wake: {},
            status: { StatusFile(ProgressState(), pause: gate.current, at: clock.now) }, log: { _ in })
    }

    /// A server that answers for as long as `body` runs, on a thread that may wait for answers.
    private func serving(
        _ folder: FilePath, _ answer: @escaping @Sendable (ControlRequest) -> ControlReply,
        _ body: @escaping @Sendable () throws -> Void
    ) async throws {
        let server = try ControlServer(folder: folder, answer)
        Thread.detachNewThread { server.serve() }
        defer { server.stop() }
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
        }
    }

    @Test func commandsReachTheDaemonAndItsAnswersThem() async throws {
        let folder = try ServiceFolder()
        try await serving(folder.state) { request in
            ControlReply(ids: [Int64(request.seconds ?? 0)] + (request.ids ?? []))
        } _: {
            let reply = try ControlClient.send(ControlRequest(.pause, seconds: 90, ids: [4]), to: folder.state)
            #expect(reply?.ids == [90, 4])
            let path = folder.state.appending(UnixSocket.name)
            let mode = try FileManager.default.attributesOfItem(atPath: path.string)[.posixPermissions] as? Int
            #expect(mode == 0o600)
        }
    }

    @Test func refusalsArriveAsErrors() async throws {
        let folder = try ServiceFolder()
        try await serving(folder.state) { _ in
            ControlReply(error: "not now")
        } _: {
            let error = #expect(throws: ServiceError.self) {
                try ControlClient.send(ControlRequest(.resume), to: folder.state)
            }
            #expect(error?.code == .refused)
            #expect(error?.cause == "not now")
        }
    }

    @Test func pathsLongerThanAddressesWork() async throws {
        let folder = try ServiceFolder()
        let state = folder.root.appending(String(repeating: "long", count: 40))
        try createFolder(state)
        try await serving(state) { _ in
            ControlReply(ids: [])
        } _: {
            let reply = try ControlClient.send(ControlRequest(.status), to: state)
            #expect(reply != nil)
        }
    }

    @Test func aStaleSocketIsNoDaemonAndNoObstacle() async throws {
        let folder = try ServiceFolder()
        do {
            // Left behind as by a kill: nobody listens any more.
            let socket = try #require(UnixSocket())
            try socket.listen(folder.state)
        }
        #expect(FileManager.default.fileExists(atPath: folder.state.appending(UnixSocket.name).string))
        #expect(try ControlClient.send(ControlRequest(.status), to: folder.state) == nil)
        try await serving(folder.state) { _ in
            ControlReply(ids: [])
        } _: {
            let reply = try ControlClient.send(ControlRequest(.status), to: folder.state)
            #expect(reply != nil)
        }
    }

    @Test func withoutADaemonThereIsNoAnswer() throws {
        let folder = try ServiceFolder()
        #expect(try ControlClient.send(ControlRequest(.status), to: folder.state) == nil)
        #expect(try ControlClient.send(ControlRequest(.status), to: folder.root.appending("nowhere")) == nil)
    }

    @Test func nonsenseIsAnsweredAndSilenceHurtsNobody() async throws {
        let folder = try ServiceFolder()
        try await serving(folder.state) { _ in
            ControlReply(ids: [])
        } _: {
            let socket = try #require(UnixSocket())
            #expect(socket.connect(folder.state) == nil)
            #expect(socket.write(Array("{\"command\":\"dance\"}\n".utf8)))
            let answer = String(decoding: try #require(socket.readLine(limit: 4096)), as: UTF8.self)
            #expect(answer.contains("not one that this version knows"))
            do {
                let silent = try #require(UnixSocket())
                #expect(silent.connect(folder.state) == nil)
            }
            let reply = try ControlClient.send(ControlRequest(.status), to: folder.state)
            #expect(reply != nil)
        }
    }

    @Test func aPauseEndsByTimeOrByCommand() throws {
        let folder = try ServiceFolder()
        let clock = Clock()
        let gate = PauseGate { clock.now }
        let controller = controller(try folder.ledger(), gate, clock)
        let paused = controller.answer(ControlRequest(.pause, seconds: 60, drains: true)).status
        #expect(paused?.isPaused == true)
        #expect(paused?.pauseSecondsLeft == 60)
        clock.now = .seconds(60)
        #expect(controller.answer(ControlRequest(.status)).status?.isPaused == false)
        _ = controller.answer(ControlRequest(.pause))
        clock.now = .seconds(1_000_000)
        #expect(controller.answer(ControlRequest(.status)).status?.isPaused == true)
        #expect(controller.answer(ControlRequest(.resume)).status?.isPaused == false)
    }

    @Test func aHeldPhotographGoesOnWhenThePauseEnds() async throws {
        let gate = PauseGate { .zero }
        gate.pause(for: nil, drains: false)
        let (beats, continuation) = AsyncStream<Void>.makeStream()
        let thread = Task.detached { gate.hold { continuation.yield() } }
        // The first beat says that it is held.
        for await _ in beats { break }
        gate.resume()
        await thread.value
        gate.pause(for: nil, drains: true)
        gate.hold { Issue.record("a drained pause holds nothing") }
        gate.pause(for: nil, drains: false)
        gate.openForGood()
        gate.hold {}
    }

    @Test func failuresAndQuarantineAreDealtWithThroughTheDaemon() throws {
        let folder = try ServiceFolder()
        let clock = Clock()
        let ledger = try folder.ledger()
        let controller = controller(ledger, PauseGate { clock.now }, clock)
        let path = folder.inbox.appending("a.png")
        try folder.put("one", as: "a.png")
        try ledger.apply([.queued(path, try FileStatus.of(path).identity)])
        let id = try #require(try ledger.nextQueued()).id
        _ = try ledger.fail(id, reason: "no", retry: RetryPolicy(maximumAttempts: 3, backoff: .seconds(1)))
        #expect(controller.answer(ControlRequest(.retry)).ids == [id])
        _ = try ledger.fail(id, reason: "no", retry: nil)
        #expect(controller.answer(ControlRequest(.release, ids: [id])).ids == [id])
        _ = try ledger.fail(id, reason: "no", retry: nil)
        #expect(controller.answer(ControlRequest(.purge)).ids == [id])
        #expect(controller.answer(ControlRequest(.retry, ids: [99])).error?.contains("photograph 99") == true)
    }

    @Test func withoutADaemonTheQueueIsChangedUnderItsLock() throws {
        let folder = try ServiceFolder()
        let control = QueueControl(folder: folder.state)
        let missing = #expect(throws: LedgerError.self) { try control.retry(nil) }
        #expect(missing?.code == .missing)
        try folder.ledger().close()
        #expect(try control.retry(nil) == [])
        let lock = try StateLock(folder: folder.state)
        let error = #expect(throws: ServiceError.self) { try control.purge(nil) }
        #expect(error?.code == .locked)
        withExtendedLifetime(lock) {}
    }

    @Test func aPauseIsWhatTheStatusSaysUnlessItDrains() {
        let progress = ServiceProgress()
        let gate = PauseGate { .zero }
        let reporter = StatusReporter(
            progress: progress, waiting: { 2 }, gate: gate, manager: ServiceManager(environment: [:]),
            state: "/nowhere",
            time: { .zero }, logger: .silent)
        progress.update { $0.current = .init(id: 1, name: "a.png", fraction: 0.5, since: .zero) }
        gate.pause(for: .seconds(60), drains: false)
        #expect(reporter.file().summary == "0/3, paused, 60 s left")
        gate.pause(for: nil, drains: true)
        #expect(reporter.file().summary.hasPrefix("1/3, a.png 50 %"))
        progress.update { $0.current = nil }
        #expect(reporter.file().summary == "0/2, paused")
    }

    @Test func aPausedDaemonBeginsNothing() async throws {
        let folder = try ServiceFolder()
        try folder.put("one", as: "a.png")
        let ledger = try folder.ledger()
        let gate = PauseGate { .zero }
        gate.pause(for: nil, drains: true)
        let denoiser = FakeDenoiser()
        let path = folder.inbox.appending("a.png")
        try ledger.apply([.queued(path, try FileStatus.of(path).identity)])
        let progress = ServiceProgress()
        let worker = try Worker(
            LiveSettings(Settings(folder.configuration, denoiser: denoiser)), ledger: ledger, progress: progress,
            gate: gate, logger: .silent, time: { .zero }, isOneshot: true)
        worker.drain()
        let task = Task { try await worker.run() }
        while progress.snapshot.obstacle == nil { await Task.yield() }
        #expect(progress.snapshot.obstacle == "paused")
        #expect(denoiser.photographs.isEmpty)
        gate.resume()
        worker.wake()
        try await task.value
        #expect(denoiser.photographs.count == 1)
        #expect(try ledger.count(of: .done) == 1)
    }
}
