import Denoising
import Dispatch
import Foundation
import Ledger
import Logging
import ServiceLifecycle
import Synchronization
import SystemPackage

/// Denoises the queued photographs one after the other, in the order in which they were complete.
final class Worker: Service {
    let live: LiveSettings
    let ledger: Ledger
    let progress: ServiceProgress
    let gate: PauseGate
    let logger: Logger
    let time: MonotonicTime
    let custody = Custody()
    private let isOneshot: Bool
    private let doorbell = DispatchSemaphore(value: 0)
    private let stopping = Atomic<Bool>(false)
    private let isDrained = Atomic<Bool>(false)
    private let schedule: Mutex<RetrySchedule>
    private let output: Mutex<OutputGate>
    /// How long a photograph in work may take to end when the service stops. Shorter than systemd's patience.
    private static let grace = DispatchTimeInterval.seconds(10)

    init(
        _ live: LiveSettings, ledger: Ledger, progress: ServiceProgress, gate: PauseGate, logger: Logger,
        time: @escaping MonotonicTime, isOneshot: Bool
    ) throws {
        self.live = live
        self.ledger = ledger
        self.progress = progress
        self.gate = gate
        self.logger = logger
        self.time = time
        self.isOneshot = isOneshot
        let limits = live.current.configuration.limits
        schedule = Mutex(RetrySchedule(try ledger.pendingRetries(), at: time()))
        output = Mutex(OutputGate(minimum: limits.minimumFreeSpace, pause: limits.retryBackoff))
    }

    var isStopping: Bool { stopping.load(ordering: .sequentiallyConsistent) }

    var patience: LedgerPatience { LedgerPatience(progress: progress) { [weak self] in self?.isStopping ?? true } }

    /// Photographs were queued, or something else changed that decides what is done next.
    func wake() { doorbell.signal() }

    /// Nothing more will be queued; a oneshot service ends when the queue is empty.
    func drain() {
        isDrained.store(true, ordering: .sequentiallyConsistent)
        wake()
    }

    func run() async throws {
        try await onOwnThread("worker") { abandon in
            self.stopping.store(true, ordering: .sequentiallyConsistent)
            self.wake()
            // A photograph that is held by a pause would not use the time.
            let isHeld = self.gate.current.map { !$0.drains } ?? false
            DispatchQueue.global().asyncAfter(deadline: .now() + (isHeld ? .seconds(0) : Self.grace)) {
                guard let id = self.custody.stop() else { return self.gate.openForGood() }
                self.abandonPhotograph(id)
                abandon()
            }
        } _: {
            try self.work()
        }
    }

    private func abandonPhotograph(_ id: Int64) {
        do {
            try ledger.setBack(id, .abandoned)
            logger.info("photograph abandoned", metadata: ["photograph.id": "\(id)"])
        } catch {
            // The next start finds the row running and queues it again.
            logger.error("ledger cannot be written", metadata: ["error": "\(error)"])
        }
    }

    private func work() throws {
        while !isStopping {
            // Read before the queue, so that what was queued before the end of the intake is not missed.
            let isLast = isOneshot && isDrained.load(ordering: .sequentiallyConsistent)
            progress.beat()
            let settings = live.current
            let due = schedule.withLock { $0.take(at: time()) }
            if !due.isEmpty { try patience.insist { try ledger.resume(due) } }
            let away = progress.snapshot.away
            if let next = try patience.insist({ try ledger.nextQueued(outside: away) }) {
                if try isFree(settings) {
                    try take(next, settings)
                    continue
                }
            } else {
                progress.update { $0.obstacle = nil }
                if isLast { return }
            }
            // A command may have queued photographs through the ledger, so it is asked again without a ring.
            _ = doorbell.wait(timeout: .now() + .seconds(1))
        }
    }

    private func take(_ next: QueuedPhotograph, _ settings: Settings) throws {
        switch try work(on: next, settings) {
        case .failed(_, let pause):
            schedule.withLock { $0.add(next.id, after: pause, at: time()) }
        case .postponed(let failure):
            let free = settings.output.freeSpace() ?? 0
            output.withLock { $0.fail(failure, free: free, at: time()) }
        default: break
        }
    }

    /// Whether a photograph may be begun; says why not.
    private func isFree(_ settings: Settings) throws -> Bool {
        let now = time()
        let obstacle: String?
        if let pause = gate.current {
            obstacle = pause.text(at: now)
        } else {
            let limits = settings.configuration.limits
            let free = settings.output.freeSpace()
            let (isOpen, failure) = output.withLock { gate in
                gate.minimum = limits.minimumFreeSpace
                gate.pause = limits.retryBackoff
                return (gate.isOpen(free: free, at: now), gate.failure)
            }
            if case .noOutput(let number)? = failure?.kind {
                obstacle = "waiting for the output folder (\(number))"
                if isOneshot {
                    throw ServiceError.inaccessible(
                        settings.output.path, "write outputs", number, code: .unwritableOutput)
                }
            } else {
                obstacle = isOpen ? nil : Self.spaceObstacle(free, limits)
                if !isOpen, isOneshot { throw spaceError(settings, free) }
            }
        }
        let before = progress.snapshot.obstacle
        guard obstacle != before else { return obstacle == nil }
        progress.update { $0.obstacle = obstacle }
        if obstacle == nil {
            logger.info("photographs are begun again")
        } else if before == nil {
            logger.warning("no photograph is begun", metadata: ["reason": "\(obstacle ?? "")"])
        }
        return obstacle == nil
    }

    private static func spaceObstacle(_ free: Int64?, _ limits: Configuration.Limits) -> String {
        let required = limits.minimumFreeSpace >> 20
        return "waiting for free space, \((free ?? 0) >> 20) MiB are free"
            + (required > 0 ? ", \(required) MiB are required" : "")
    }

    private func spaceError(_ settings: Settings, _ free: Int64?) -> ServiceError {
        ServiceError(
            .noSpace, subject: settings.output.path.string,
            cause: Self.spaceObstacle(free, settings.configuration.limits),
            remedy: "free some space or lower limits.min_free_space")
    }
}
