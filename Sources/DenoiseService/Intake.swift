import Foundation
import Ledger
import Logging
import ServiceLifecycle
import Synchronization
import SystemPackage

/// Watches the inboxes and queues the photographs that are complete.
final class Intake: Service {
    private let live: LiveSettings
    private let ledger: Ledger
    private let progress: ServiceProgress
    private let logger: Logger
    private let time: MonotonicTime
    private let locks: InboxLocks
    private let isOneshot: Bool
    private let wakeUp: WakeUp
    private let isStopping = Atomic<Bool>(false)
    private let signals: Signals

    /// What others want to hear of.
    struct Signals: Sendable {
        /// Photographs were queued.
        var onQueued: @Sendable () -> Void
        /// Once, when every inbox is watched and was read.
        var onReady: @Sendable () -> Void
        /// Once, when the service is asked to stop.
        var onStopping: @Sendable () -> Void
        /// Nothing more will be queued.
        var onDrained: @Sendable () -> Void
    }

    init(
        _ live: LiveSettings, ledger: Ledger, progress: ServiceProgress, logger: Logger,
        time: @escaping MonotonicTime, locks: InboxLocks, isOneshot: Bool, signals: Signals
    ) throws {
        self.live = live
        self.ledger = ledger
        self.progress = progress
        self.logger = logger
        self.time = time
        self.locks = locks
        self.isOneshot = isOneshot
        self.signals = signals
        wakeUp = try WakeUp()
    }

    /// The settings were replaced.
    func reload() { wakeUp.ring() }

    func run() async throws {
        try await onOwnThread("intake") { _ in
            self.signals.onStopping()
            self.isStopping.store(true, ordering: .relaxed)
            self.wakeUp.ring()
        } _: {
            defer { self.signals.onDrained() }
            try self.work()
        }
    }

    private func work() throws {
        var generation = live.generation
        var loop = makeLoop()
        try step(&loop)
        signals.onReady()
        let end = time() + loop.longestDelay
        while !isStopping.load(ordering: .relaxed) {
            if generation != live.generation {
                generation = live.generation
                loop = makeLoop()
            }
            let isOver = time() >= end
            try step(&loop)
            if isOneshot, isOver || loop.isSettled { return }
            loop.wait(at: time(), wakeUp: wakeUp)
            wakeUp.clear()
        }
    }

    private func makeLoop() -> IntakeLoop {
        IntakeLoop(live.current.configuration, ledger: ledger, logger: logger, watches: !isOneshot, locks: locks)
    }

    /// A ledger that is locked or full keeps nothing from being found: everything is read again when it answers.
    private func step(_ loop: inout IntakeLoop) throws {
        do {
            if try loop.step(at: time()) { signals.onQueued() }
            progress.warn("ledger", nil)
        } catch let error as LedgerError where error.isPassing && !isOneshot {
            progress.warn("ledger", "\(error)")
            loop.invalidate()
            wakeUp.wait(atMost: .seconds(1))
        }
        let statuses = loop.statuses
        if progress.snapshot.inboxes != statuses { progress.update { $0.inboxes = statuses } }
        progress.warn("watch", loop.watchProblem)
    }
}
