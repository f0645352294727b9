import Logging
import ServiceLifecycle
import SystemPackage

/// Passes the service's progress on to systemd and to `denoised status`, and feeds the watchdog as long as there is
/// progress: a photograph that hangs gets the service restarted.
struct StatusReporter: Service {
    let progress: ServiceProgress
    /// Photographs in the queue, or nil if the ledger does not answer. Asked when a line is due: the queue has several
    /// writers, and a number that each of them carried over would be as old as the slowest.
    let waiting: @Sendable () -> Int?
    let gate: PauseGate
    let manager: ServiceManager
    let state: FilePath
    let time: MonotonicTime
    let logger: Logger

    /// What was said last, so that nothing is said twice.
    struct Memory: Sendable {
        var summary = ""
        var said: StatusFile?
        var waiting = 0
        var pulse = -1
        var fed: Duration?
        var stopPulse = -1
    }

    /// systemd waits for so much longer than now while a stop makes progress.
    static let patience = Duration.seconds(30)

    func run() async throws {
        var memory = Memory()
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            report(&memory)
            try? await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(1)) }
        }
        // The photographs in work may still be finished; the last line says what came of them.
        report(&memory)
    }

    /// What there is to say now.
    func file() -> StatusFile {
        file(waiting: waiting() ?? 0, at: time())
    }

    private func file(waiting: Int, at now: Duration) -> StatusFile {
        var snapshot = progress.snapshot
        snapshot.waiting = waiting
        let pause = gate.current
        // What is being drained is work like any other.
        if let pause, snapshot.current == nil || !pause.drains { snapshot.obstacle = pause.text(at: now) }
        return StatusFile(snapshot, pause: pause, at: now)
    }

    /// Says what changed since the last report.
    func report(_ memory: inout Memory) {
        let now = time()
        memory.waiting = waiting() ?? memory.waiting
        let file = file(waiting: memory.waiting, at: now)
        let warnings = memory.said?.warnings ?? [:]
        if file.summary != memory.summary || file.warnings != warnings || file.isPaused != memory.said?.isPaused {
            let problem = file.warnings.sorted { $0.key < $1.key }.first.map { "; \($0.value)" } ?? ""
            manager.status(file.summary + problem)
            file.write(folder: state)
            memory.summary = file.summary
            for (subject, text) in file.warnings.sorted(by: { $0.key < $1.key }) where warnings[subject] != text {
                logger.warning(
                    "something is amiss", metadata: ["subject": "\(subject)", "error": "\(printable(text))"])
            }
            memory.said = file
        }
        feed(&memory, at: now)
    }

    private func feed(_ memory: inout Memory, at now: Duration) {
        let pulse = progress.pulse
        // A stop that hangs is ended by systemd after its own patience.
        if manager.isStopping, pulse != memory.stopPulse {
            manager.extendTimeout(by: Self.patience)
            memory.stopPulse = pulse
        }
        guard let interval = manager.watchdogInterval else { return }
        // systemd recommends half the interval.
        let isDue = memory.fed.map { now - $0 >= interval / 2 } ?? true
        if isDue, pulse != memory.pulse {
            manager.alive()
            memory.pulse = pulse
            memory.fed = now
        }
    }
}
