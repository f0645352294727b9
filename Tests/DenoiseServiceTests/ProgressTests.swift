import Foundation
import Ledger
import Synchronization
import SystemPackage
import Testing

@testable import DenoiseService

@Suite struct ProgressTests {
    private func state(fraction: Double, waiting: Int, finished: Int = 0) -> ProgressState {
        var state = ProgressState()
        state.finished = finished
        state.waiting = waiting
        state.current = .init(id: 3, name: "IMG_1.DNG", fraction: fraction, since: .zero)
        return state
    }

    @Test func theSummaryNamesPlaceFileShareAndTime() {
        var progress = state(fraction: 0.63, waiting: 9, finished: 2)
        progress.denoised = 2
        progress.workTime = .seconds(48)
        // 37 s of this photograph and 9 × 24 s are left.
        #expect(progress.summary(at: .seconds(63)) == "3/12, IMG_1.DNG 63 %, 4 min left")
    }

    @Test func nothingIsGuessedFromNothing() {
        #expect(state(fraction: 0, waiting: 2).summary(at: .seconds(1)) == "1/3, IMG_1.DNG 0 %")
        #expect(ProgressState().summary(at: .zero) == "idle, 0 done")
    }

    @Test(arguments: [0, 0.01, 0.5, 1]) func timeLeftIsNeverNegative(fraction: Double) {
        var progress = state(fraction: fraction, waiting: 1)
        progress.denoised = 1
        progress.workTime = .seconds(10)
        #expect((progress.timeLeft(at: .seconds(-100)) ?? .zero) >= .zero)
        #expect((progress.timeLeft(at: .seconds(1000)) ?? .zero) >= .zero)
    }

    @Test func systemdHearsThroughPathsAndAbstractNames() throws {
        let folder = try ServiceFolder()
        for name in [folder.root.appending("s").string, "@denoised-test-\(UUID().uuidString)"] {
            let socket = try FakeSystemd(name)
            let manager = ServiceManager(environment: ["NOTIFY_SOCKET": name])
            manager.ready()
            manager.status("3/12,\nIMG_1.DNG")
            manager.stopping()
            #expect(socket.received() == ["READY=1", "STATUS=3/12, IMG_1.DNG", "STOPPING=1"])
        }
    }

    @Test func withoutASocketNothingHappens() {
        ServiceManager(environment: [:]).ready()
        ServiceManager(environment: ["NOTIFY_SOCKET": "/nowhere"]).ready()
        ServiceManager(environment: ["NOTIFY_SOCKET": String(repeating: "/", count: 300)]).ready()
    }

    @Test func theWatchdogIsFedByProgressOnly() throws {
        let folder = try ServiceFolder()
        let socket = try FakeSystemd(folder.root.appending("s").string)
        let manager = ServiceManager(environment: [
            "NOTIFY_SOCKET": folder.root.appending("s").string, "WATCHDOG_USEC": "10000000",
        ])
        let box = Clock()
        let progress = ServiceProgress()
        let reporter = StatusReporter(
            progress: progress, waiting: { 0 }, gate: PauseGate { box.now }, manager: manager, state: folder.state,
            time: { box.now }, logger: .silent)
        var memory = StatusReporter.Memory()
        func pings(at seconds: Int) -> Int {
            box.now = .seconds(seconds)
            reporter.report(&memory)
            return socket.received().filter { $0 == "WATCHDOG=1" }.count
        }
        #expect(pings(at: 0) == 1)
        progress.beat()
        #expect(pings(at: 1) == 0)
        #expect(pings(at: 5) == 1)
        #expect(pings(at: 60) == 0)
        progress.beat()
        #expect(pings(at: 61) == 1)
    }

    @Test func theWatchdogOfAnotherProcessIsNotOurs() {
        let manager = ServiceManager(environment: ["WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"])
        #expect(manager.watchdogInterval == nil)
    }

    @Test func aDaemonReportsItsLife() async throws {
        let folder = try ServiceFolder()
        try folder.put("one", as: "a.png")
        let socket = try FakeSystemd(folder.root.appending("s").string)
        let daemon = try Daemon(
            configuration: folder.configuration, denoiser: FakeDenoiser(), ledger: try folder.ledger(),
            lock: try Daemon.lock(folder.configuration), logger: .silent,
            manager: ServiceManager(environment: ["NOTIFY_SOCKET": folder.root.appending("s").string]))
        _ = try await daemon.run(oneshot: true)
        let messages = socket.received()
        #expect(messages.contains("READY=1"))
        #expect(messages.last == "STATUS=idle, 1 done")
        #expect(StatusFile.read(folder: folder.state)?.summary == "idle, 1 done")
    }

    @Test func namesAreWrittenOnOneLine() {
        #expect(printable("a\nb\u{1B}[31m\u{FFFD}é") == "a\\nb\\u{1B}[31m\u{FFFD}é")
    }
}

/// A clock that a test sets.
final class Clock: Sendable {
    private let time = Mutex(Duration.zero)
    var now: Duration {
        get { time.withLock { $0 } }
        set { time.withLock { $0 = newValue } }
    }
}

/// A datagram socket that collects what a service says.
final class FakeSystemd: Sendable {
    private let descriptor: Int32

    init(_ name: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        let bytes = name.hasPrefix("@") ? [0] + name.utf8.dropFirst() : Array(name.utf8)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        try #require(result == 0)
    }

    deinit { close(descriptor) }

    /// The messages since the last call; does not wait for more.
    func received() -> [String] {
        var messages: [String] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            guard count >= 0 else { return messages }
            messages.append(String(decoding: buffer.prefix(count), as: UTF8.self))
        }
    }
}
