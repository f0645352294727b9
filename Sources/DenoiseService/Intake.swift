import Foundation
import Ledger
import Logging
import ServiceLifecycle
import Synchronization
import SystemPackage

/// Watches the inboxes and queues the photographs that are complete.
final class Intake: Service {
    private let configuration: Configuration
    private let ledger: Ledger
    private let logger: Logger
    private let time: MonotonicTime
    private let isOneshot: Bool
    private let wakeUp: WakeUp
    private let isStopping = Atomic<Bool>(false)
    private let onQueued: @Sendable () -> Void
    private let onReady: @Sendable () -> Void
    private let onStopping: @Sendable () -> Void
    private let onDrained: @Sendable () -> Void

    /// - Parameters:
    ///   - onQueued: called after photographs were queued.
    ///   - onReady: called once, when every inbox is watched and was read.
    ///   - onStopping: called once, when the service is asked to stop.
    ///   - onDrained: called when nothing more will be queued.
    init(
        _ configuration: Configuration, ledger: Ledger, logger: Logger, time: @escaping MonotonicTime, isOneshot: Bool,
        onQueued: @escaping @Sendable () -> Void, onReady: @escaping @Sendable () -> Void,
        onStopping: @escaping @Sendable () -> Void, onDrained: @escaping @Sendable () -> Void
    ) throws {
        self.configuration = configuration
        self.ledger = ledger
        self.logger = logger
        self.time = time
        self.isOneshot = isOneshot
        self.onQueued = onQueued
        self.onReady = onReady
        self.onStopping = onStopping
        self.onDrained = onDrained
        wakeUp = try WakeUp()
    }

    func run() async throws {
        try await onOwnThread("intake") { _ in
            self.onStopping()
            self.isStopping.store(true, ordering: .relaxed)
            self.wakeUp.ring()
        } _: {
            defer { self.onDrained() }
            var loop = IntakeLoop(
                self.configuration, ledger: self.ledger, logger: self.logger, watches: !self.isOneshot)
            if try loop.rescan(at: self.time()) { self.onQueued() }
            self.onReady()
            let end = self.time() + self.configuration.watch.stabilityDelay
            while !self.isStopping.load(ordering: .relaxed) {
                let isOver = self.time() >= end
                if try loop.step(at: self.time()) { self.onQueued() }
                if self.isOneshot, isOver || loop.isSettled { return }
                loop.wait(at: self.time(), wakeUp: self.wakeUp)
            }
        }
    }
}
