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
    private let configuration: Configuration
    private let denoiser: any PhotographDenoising
    private let output: OutputFolder
    private let ledger: Ledger
    private let progress: ServiceProgress
    private let logger: Logger
    private let time: MonotonicTime
    private let isOneshot: Bool
    private let custody = Custody()
    private let doorbell = DispatchSemaphore(value: 0)
    private let isStopping = Atomic<Bool>(false)
    private let isDrained = Atomic<Bool>(false)
    /// How long a photograph in work may take to end when the service stops. Shorter than systemd's patience.
    private static let grace = DispatchTimeInterval.seconds(10)

    init(
        _ configuration: Configuration, denoiser: any PhotographDenoising, output: OutputFolder, ledger: Ledger,
        progress: ServiceProgress, logger: Logger, time: @escaping MonotonicTime, isOneshot: Bool
    ) {
        self.configuration = configuration
        self.denoiser = denoiser
        self.output = output
        self.ledger = ledger
        self.progress = progress
        self.logger = logger
        self.time = time
        self.isOneshot = isOneshot
    }

    /// Photographs were queued.
    func wake() { doorbell.signal() }

    /// Nothing more will be queued; a oneshot service ends when the queue is empty.
    func drain() {
        isDrained.store(true, ordering: .sequentiallyConsistent)
        wake()
    }

    func run() async throws {
        try await onOwnThread("worker") { abandon in
            self.isStopping.store(true, ordering: .sequentiallyConsistent)
            self.wake()
            DispatchQueue.global().asyncAfter(deadline: .now() + Self.grace) {
                guard let id = self.custody.stop() else { return }
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
        while !isStopping.load(ordering: .sequentiallyConsistent) {
            // Read before the queue, so that what was queued before the end of the intake is not missed.
            let isLast = isOneshot && isDrained.load(ordering: .sequentiallyConsistent)
            progress.beat()
            if let next = try ledger.nextQueued() {
                if try hasSpace() {
                    try denoise(next)
                    continue
                }
                if isOneshot { throw spaceError() }
            } else if isLast {
                return
            }
            // A command may have queued photographs through the ledger, so it is asked again without a ring.
            _ = doorbell.wait(timeout: .now() + .seconds(1))
        }
    }

    private func denoise(_ next: QueuedPhotograph) throws {
        let start = time()
        progress.update {
            $0.current = ProgressState.Current(
                id: next.id, name: printable(next.path.lastComponent?.string ?? ""), fraction: 0, since: start)
        }
        var about: Logger.Metadata = [
            "photograph.id": "\(next.id)", "photograph.source": "\(printable(next.path.string))",
        ]
        logger.info("photograph started", metadata: about)
        let job = PhotographJob(
            photograph: next, denoiser: denoiser, preset: configuration.image.preset.rawValue,
            inboxes: configuration.watch.paths, output: output, ledger: ledger, progress: progress, custody: custody)
        let end = try job.run()
        let duration = time() - start
        progress.update { state in
            state.current = nil
            switch end {
            case .changed, .withdrawn, .abandoned: return
            case .done, .duplicate, .unchanged, .skipped, .cancelled, .failed: state.finished += 1
            }
            if case .failed = end { state.failed += 1 }
            if case .done = end {
                state.denoised += 1
                state.workTime += duration
            }
        }
        about["photograph.seconds"] = "\((duration / .seconds(1) * 1000).rounded() / 1000)"
        log(end, about)
    }

    private func log(_ end: JobEnd, _ about: Logger.Metadata) {
        var about = about
        switch end {
        case .done(let output):
            about["photograph.output"] = "\(printable(output.string))"
            logger.info("photograph done", metadata: about)
        case .duplicate(let original), .unchanged(let original):
            about["photograph.original"] = "\(original)"
            logger.info("photograph already known", metadata: about)
        case .skipped(let reason), .cancelled(let reason):
            about["photograph.reason"] = "\(printable(reason))"
            logger.info("photograph passed over", metadata: about)
        case .failed(let reason):
            about["photograph.reason"] = "\(printable(reason))"
            logger.error("photograph failed", metadata: about)
        case .changed, .withdrawn: logger.info("photograph changed meanwhile", metadata: about)
        case .abandoned: break
        }
    }

    private func hasSpace() throws -> Bool {
        let isShort = output.freeSpace().map { $0 < configuration.limits.minimumFreeSpace } ?? false
        let before = progress.snapshot.obstacle
        guard isShort != (before != nil) else { return !isShort }
        progress.update { $0.obstacle = isShort ? "waiting for free space" : nil }
        if isShort {
            logger.warning("no photograph is begun", metadata: ["error": "\(spaceError())"])
        } else {
            logger.info("photographs are begun again")
        }
        return !isShort
    }

    private func spaceError() -> ServiceError {
        let free = (output.freeSpace() ?? 0) >> 20
        return ServiceError(
            .noSpace, subject: output.path.string,
            cause: "\(free) MiB are free, \(configuration.limits.minimumFreeSpace >> 20) MiB are required",
            remedy: "free some space or lower limits.min_free_space")
    }
}
