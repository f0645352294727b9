import ServiceLifecycle
import SystemPackage

/// Passes the service's progress on to systemd and to `denoised status`, and feeds the watchdog as long as there is
/// progress: a photograph that hangs gets the service restarted.
struct StatusReporter: Service {
    let progress: ServiceProgress
    /// Photographs in the queue, or nil if the ledger does not answer. Asked when a line is due: the queue has several
    /// writers, and a number that each of them carried over would be as old as the slowest.
    let waiting: @Sendable () -> Int?
    let manager: ServiceManager
    let state: FilePath
    let time: MonotonicTime

    /// What was said last, so that nothing is said twice.
    struct Memory: Sendable {
        var summary = ""
        var waiting = 0
        var pulse = -1
        var fed: Duration?
    }

    func run() async throws {
        var memory = Memory()
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            report(&memory)
            try? await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(1)) }
        }
        // The photographs in work may still be finished; the last line says what came of them.
        report(&memory)
    }

    /// Says what changed since the last report.
    func report(_ memory: inout Memory) {
        let now = time()
        var snapshot = progress.snapshot
        snapshot.waiting = waiting() ?? memory.waiting
        memory.waiting = snapshot.waiting
        let summary = snapshot.summary(at: now)
        if summary != memory.summary {
            manager.status(summary)
            StatusFile(snapshot, at: now).write(folder: state)
            memory.summary = summary
        }
        guard let interval = manager.watchdogInterval else { return }
        let pulse = progress.pulse
        // systemd recommends half the interval.
        let isDue = memory.fed.map { now - $0 >= interval / 2 } ?? true
        if isDue, pulse != memory.pulse {
            manager.alive()
            memory.pulse = pulse
            memory.fed = now
        }
    }
}
