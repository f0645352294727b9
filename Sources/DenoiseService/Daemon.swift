import Denoising
import Ledger
import Logging
import ServiceLifecycle
import SystemPackage
import UnixSignals

/// The service as a whole: it owns the locks and the order in which its parts start and stop.
///
/// Parts start as second signal, reporter, control, housekeeper, worker, intake and stop in the opposite order: first
/// nothing more comes in, then the photograph in work ends or is put back, and the last status line says so.
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

    /// Reads the configuration again; throws what is wrong with it.
    public typealias Reload = @Sendable (_ current: Configuration) throws -> (Configuration, any PhotographDenoising)?

    /// A photograph whose latest so many attempts ended the daemon itself is set aside.
    public static let maximumInterruptions = 5

    private let live: LiveSettings
    private let ledger: Ledger
    private let locks: DaemonLocks
    private let logger: Logger
    private let manager: ServiceManager
    private let time: MonotonicTime
    private let reload: Reload?
    private let progress = ServiceProgress()

    /// Takes what a daemon with this configuration needs for itself.
    ///
    /// - Throws: `ServiceError`, with the code `locked` if another daemon works there.
    public static func lock(_ configuration: Configuration) throws -> DaemonLocks {
        try configuration.validate()
        return try DaemonLocks(configuration)
    }

    /// Takes the ledger over from an earlier daemon, whatever ended it.
    ///
    /// - Parameters:
    ///   - configuration: must be valid.
    ///   - denoiser: does the work.
    ///   - ledger: open for writing.
    ///   - lock: for the configuration; kept until the daemon is gone.
    ///   - manager: hears of progress.
    ///   - time: never jumps.
    ///   - reload: on SIGHUP; nil from it leaves the settings as they are.
    /// - Throws: `ServiceError` or `LedgerError`.
    public init(
        configuration: Configuration, denoiser: any PhotographDenoising, ledger: Ledger, lock: DaemonLocks,
        logger: Logger, manager: ServiceManager = ServiceManager(), time: @escaping MonotonicTime = monotonicTime(),
        reload: Reload? = nil
    ) throws {
        try configuration.validate()
        live = LiveSettings(Settings(configuration, denoiser: denoiser))
        self.ledger = ledger
        locks = lock
        self.logger = logger
        self.manager = manager
        self.time = time
        self.reload = reload
        try live.current.output.prepare()
        try Takeover(ledger: ledger, output: live.current.output, logger: logger).run()
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
        var facts = live.current.denoiser.modelFacts
        facts["state.dir"] = "\(live.current.configuration.state)"
        logger.info("service started", metadata: facts)
        defer { live.current.output.close() }
        do {
            try await group.run()
        } catch let error as LedgerError where error.code == .corrupt {
            // The next start looks closer, and puts a backup in its place.
            Ledger.doubt(in: live.current.configuration.state)
            throw error
        }
        let snapshot = progress.snapshot
        logger.info("service stopped", metadata: ["photographs.finished": "\(snapshot.finished)"])
        return Outcome(
            finished: snapshot.finished, failed: snapshot.failed, waiting: try ledger.count(of: .queued))
    }

    private func services(oneshot: Bool) throws -> [ServiceGroupConfiguration.ServiceConfiguration] {
        let gate = PauseGate(time: time)
        let worker = try Worker(
            live, ledger: ledger, progress: progress, gate: gate, logger: logger, time: time, isOneshot: oneshot)
        let manager = manager
        let intake = try Intake(
            live, ledger: ledger, progress: progress, logger: logger, time: time, locks: locks.inboxes,
            isOneshot: oneshot,
            signals: Intake.Signals(
                onQueued: { worker.wake() }, onReady: { manager.ready() }, onStopping: { manager.stopping() },
                onDrained: { worker.drain() }))
        let state = live.current.configuration.state
        let reporter = StatusReporter(
            progress: progress, waiting: { [ledger] in try? ledger.count(of: .queued) }, gate: gate, manager: manager,
            state: state, time: time, logger: logger)
        let controller = Controller(
            ledger: ledger, gate: gate, wake: { worker.wake() },
            status: { reporter.file() }, log: { [logger] in logger.notice("told", metadata: ["command": "\($0)"]) })
        let reloader = Reloader(live: live, manager: manager, progress: progress, logger: logger, reload: reload) {
            intake.reload()
            worker.wake()
        }
        let housekeeper = Housekeeper(live: live, ledger: ledger, progress: progress, logger: logger, time: time)
        let finetuning: [any Service] =
            live.current.configuration.finetune.isEnabled ? [finetuning(state, reloader)] : []
        let helpers: [any Service] = oneshot ? [] : [reloader, housekeeper] + finetuning
        return [
            .init(service: SecondSignal()), .init(service: reporter),
            .init(service: try ControlServer(folder: state, controller.answer)),
        ]
            + helpers.map { .init(service: $0) } + [
                .init(
                    service: worker, successTerminationBehavior: .gracefullyShutdownGroup,
                    failureTerminationBehavior: .cancelGroup),
                .init(service: intake, successTerminationBehavior: oneshot ? .ignore : .gracefullyShutdownGroup),
            ]
    }

    private func finetuning(_ state: FilePath, _ reloader: Reloader) -> FinetuneService {
        FinetuneService(
            state: state, trainer: FinetuneProcess(state: state), progress: progress,
            isBusy: { [progress, ledger] in
                progress.snapshot.current != nil || (try? ledger.count(of: .queued)) ?? 0 > 0
            }, logger: logger, time: time, minuteOfDay: FinetuneService.localMinuteOfDay,
            configuration: live.current.configuration.finetune, onJudged: { reloader.perform() })
    }
}
