import ArgumentParser
import DenoiseService
import Denoising
import Foundation
import Ledger
import Logging
import SystemPackage

/// `denoised run`: the daemon, in the foreground.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Denoise what is dropped into the inboxes, until stopped.")

    @OptionGroup var location: StateOptions

    @OptionGroup var folders: FolderOptions

    @OptionGroup(title: "Image options") var image: ServiceImageOptions

    @Option(
        name: .customLong("set"), parsing: .singleValue,
        help: ArgumentHelp("Set any key of the configuration.", valueName: "section.key=value"))
    var assignments: [String] = []

    @Flag(help: "Drain the inboxes and exit.")
    var oneshot = false

    @Flag(help: "Say what would be done; do nothing.")
    var dryRun = false

    func run() async throws {
        try await reportingFailure {
            let settings = try location.configuration(flags())
            dryRun ? try plan(settings) : try await work(settings, flags())
        }
    }

    private func flags() throws -> [ConfigurationFlag] {
        var flags = image.flags + folders.flags
        for assignment in assignments {
            let parts = assignment.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
                String.init)
            guard parts.count == 2 else { throw ValidationError("--set takes section.key=value, not \(assignment).") }
            let key = ConfigurationKey.all.first { $0.name == parts[0] }
            let values = key?.split(parts[1], at: ",") ?? [parts[1]]
            flags.append(ConfigurationFlag(key: parts[0], values: values, flag: "--set \(parts[0])"))
        }
        return flags
    }

    private func work(_ settings: Configuration, _ flags: [ConfigurationFlag]) async throws {
        let logger = Logger(label: "denoised")
        let lock = try Daemon.lock(settings)
        let (ledger, rescue) = try Ledger.openOrRescue(in: settings.state)
        if let rescue { logger.critical("ledger was damaged", metadata: ["error": "\(rescue)"]) }
        // An empty ledger may have been lost altogether.
        if try rescue != nil || ledger.isEmpty() { try Rebuilding(settings, ledger: ledger, logger: logger).run() }
        let location = location
        let daemon = try Daemon(
            configuration: settings, denoiser: try denoiserFactory.make(settings), ledger: ledger, lock: lock,
            logger: logger,
            reload: { _ in
                // Another model may have been promoted, even where no key changed.
                let settings = try location.configuration(flags)
                return (settings, try denoiserFactory.make(settings))
            })
        let outcome = try await daemon.run(oneshot: oneshot)
        guard oneshot else { return }
        if !outcome.isDrained { throw ExitStatus.interrupted }
        // The daemon waits for an inbox that is not mounted yet; nobody comes back to a run that ended.
        let isMissing = settings.watch.paths.contains { !PhotographFolder.exists(at: $0) }
        if outcome.failed > 0 || isMissing { throw ExitStatus.someFailed }
    }

    private func plan(_ settings: Configuration) throws {
        try settings.validate()
        let denoiser = try denoiserFactory.make(settings)
        var ledger: Ledger?
        do {
            ledger = try Ledger.openForReading(in: settings.state)
        } catch let error as LedgerError where error.code == .missing {
            // A first run has none.
        }
        let plan = try Plan(settings, denoiser: denoiser, ledger: ledger)
        for item in plan.items { print(Self.line(item)) }
        for problem in plan.problems {
            complain(problem)
        }
        if !plan.problems.isEmpty { throw ExitStatus.someFailed }
    }

    private static func line(_ item: Plan.Item) -> String {
        let source = printable(item.source.string)
        return switch item.step {
        case .denoise(let folder): "denoise \(source) into \(printable(folder.string))"
        case .leave(let id, let state): "leave \(source), photograph \(id) is \(state.rawValue)"
        case .duplicate(let original): "leave \(source), same content as \(printable(original))"
        case .unreadable(let reason): "fail \(source), \(printable(reason))"
        }
    }
}
