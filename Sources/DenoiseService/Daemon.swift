import Denoising
import Ledger
import Logging
import ServiceLifecycle
import SystemPackage
import UnixSignals

/// The service as a whole: it owns the state folder's lock and the order in which its parts start and stop.
///
/// Parts start as reporter, worker, intake and stop in the opposite order: first nothing more comes in, then the
/// photograph in work ends or is put back, and the last status line says so.
public struct Daemon: Sendable {
    /// How a run ended.
    public struct Outcome: Sendable, Equatable {
        /// Photographs that reached an end.
        public var finished: Int
        /// Those of them that failed.
        public var failed: Int
        /// Photographs that still wait or settle.
        public var waiting: Int
        /// Whether every photograph that was complete was tried.
        public var isDrained: Bool { waiting == 0 }
    }

    /// A photograph whose latest so many attempts ended the daemon itself is set aside.
    public static let maximumInterruptions = 5

    private let configuration: Configuration
    private let denoiser: any PhotographDenoising
    private let ledger: Ledger
    private let lock: StateLock
    private let output: OutputFolder
    private let logger: Logger
    private let manager: ServiceManager
    private let time: MonotonicTime
    private let progress = ServiceProgress()

    /// Creates the state folder if it is missing, and takes its lock; no ledger is opened without that lock.
    ///
    /// - Throws: `ServiceError`, with the code `locked` if another daemon works there.
    public static func lock(_ configuration: Configuration) throws -> StateLock {
        try configuration.validate()
        try createFolder(configuration.state, permissions: 0o700)
        return try StateLock(folder: configuration.state)
    }

    /// Takes the ledger over from an earlier daemon, whatever ended it.
    ///
    /// - Parameters:
    ///   - configuration: must be valid.
    ///   - denoiser: does the work.
    ///   - ledger: open for writing.
    ///   - lock: of the configuration's state folder; kept until the daemon is gone.
    ///   - manager: hears of progress.
    ///   - time: never jumps.
    /// - Throws: `ServiceError` or `LedgerError`.
    public init(
        configuration: Configuration, denoiser: any PhotographDenoising, ledger: Ledger, lock: StateLock,
        logger: Logger, manager: ServiceManager = ServiceManager(), time: @escaping MonotonicTime = monotonicTime()
    ) throws {
        try configuration.validate()
        self.configuration = configuration
        self.denoiser = denoiser
        self.ledger = ledger
        self.lock = lock
        self.logger = logger
        self.manager = manager
        self.time = time
        output = OutputFolder(configuration.output.directory ?? configuration.state, state: configuration.state)
        try output.prepare()
        try recover()
    }

    /// Works until SIGTERM or SIGINT, or with `oneshot` until the inboxes are drained.
    ///
    /// - Parameter oneshot: takes what is in the inboxes now and waits for nothing longer than the stability delay.
    /// - Returns: what was done; with `oneshot`, not drained means interrupted or still being written.
    /// - Throws: `ServiceError` or `LedgerError` if the service cannot go on.
    public func run(oneshot: Bool = false) async throws -> Outcome {
        let services = try services(oneshot: oneshot)
        // The group reports each of its steps; the service's own lines say what matters.
        let silent = Logger(label: "denoised.lifecycle") { _ in SwiftLogNoOpLogHandler() }
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: silent))
        logger.info(
            "service started",
            metadata: ["model.name": "\(denoiser.modelName)", "state.dir": "\(configuration.state)"])
        defer { output.close() }
        try await group.run()
        let snapshot = progress.snapshot
        logger.info("service stopped", metadata: ["photographs.finished": "\(snapshot.finished)"])
        return Outcome(
            finished: snapshot.finished, failed: snapshot.failed, waiting: try ledger.count(of: .queued))
    }

    private func services(oneshot: Bool) throws -> [ServiceGroupConfiguration.ServiceConfiguration] {
        let worker = Worker(
            configuration, denoiser: denoiser, output: output, ledger: ledger, progress: progress, logger: logger,
            time: time, isOneshot: oneshot)
        let manager = manager
        let intake = try Intake(
            configuration, ledger: ledger, logger: logger, time: time, isOneshot: oneshot,
            onQueued: { worker.wake() }, onReady: { manager.ready() }, onStopping: { manager.stopping() },
            onDrained: { worker.drain() })
        let reporter = StatusReporter(
            progress: progress, waiting: { [ledger] in try? ledger.count(of: .queued) }, manager: manager,
            state: configuration.state, time: time)
        var services: [ServiceGroupConfiguration.ServiceConfiguration] = [.init(service: reporter)]
        if configuration.finetune.isEnabled && !oneshot { services.append(.init(service: finetuning)) }
        return services + [
            .init(
                service: worker, successTerminationBehavior: .gracefullyShutdownGroup,
                failureTerminationBehavior: .cancelGroup),
            .init(service: intake, successTerminationBehavior: oneshot ? .ignore : .gracefullyShutdownGroup),
        ]
    }

    private var finetuning: FinetuneService {
        FinetuneService(
            state: configuration.state, trainer: FinetuneProcess(state: configuration.state), progress: progress,
            isBusy: { [progress, ledger] in
                progress.snapshot.current != nil || (try? ledger.count(of: .queued)) ?? 0 > 0
            }, logger: logger, time: time, minuteOfDay: FinetuneService.localMinuteOfDay,
            configuration: configuration.finetune)
    }

    private func recover() throws {
        let recovery = try ledger.recover(maximumInterruptions: Self.maximumInterruptions)
        for pending in recovery.pending {
            // A killed service may have got as far as the final name; then nothing is left to do but to say so.
            if let content = try? ContentHash(of: pending.path), content.text == pending.hash {
                try output.synchronize(pending.path.removingLastComponent())
                try ledger.finish(pending.id)
                logger.info("photograph was complete", metadata: ["photograph.id": "\(pending.id)"])
            } else {
                try ledger.setBack(pending.id, .abandoned)
            }
        }
        for id in recovery.requeued {
            logger.info("photograph queued again", metadata: ["photograph.id": "\(id)"])
        }
        for id in recovery.quarantined {
            logger.error("photograph quarantined", metadata: ["photograph.id": "\(id)"])
        }
    }
}
