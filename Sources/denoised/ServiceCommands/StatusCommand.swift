import ArgumentParser
import DenoiseService
import Ledger
import SystemPackage

/// `denoised status`: what the daemon does now.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show progress, queue and the latest failures.")

    @OptionGroup var location: StateOptions

    @Flag(help: "One JSON document.")
    var json = false

    func run() async throws {
        try await reportingFailure {
            let (ledger, folder) = try location.ledger()
            let report = Report(
                process: StateLock.holder(folder: folder), daemon: Self.ask(folder), counts: try ledger.counts(),
                failures: try [PhotographState.failed, .quarantined].flatMap { state in
                    try ledger.history(HistoryFilter(status: state, limit: 5))
                })
            if json {
                print(report.document.line)
            } else {
                for line in report.lines { print(line) }
            }
        }
    }

    /// The daemon itself, or what it last wrote if it does not answer.
    private static func ask(_ folder: FilePath) -> StatusFile? {
        let reply = try? ControlClient.send(ControlRequest(.status), to: folder)
        return reply?.status ?? StatusFile.read(folder: folder)
    }
}

/// What there is to say of a state folder.
private struct Report {
    var process: Int32?
    var daemon: StatusFile?
    var counts: [PhotographState: Int]
    var failures: [PhotographRecord]

    var document: JSONText {
        let current = daemon?.current.map { current in
            JSONText.object([
                ("id", .integer(current.id)), ("name", .text(current.name)), ("fraction", .number(current.fraction)),
            ])
        }
        let warnings = daemon?.warnings.sorted { $0.key < $1.key } ?? []
        return .object([
            ("running", .boolean(process != nil)), ("pid", process.map { .integer(Int64($0)) } ?? .null),
            ("summary", .optional(daemon?.summary)), ("current", current ?? .null),
            ("waiting", daemon.map { .integer(Int64($0.waiting)) } ?? .null),
            ("seconds_left", .optional(daemon?.secondsLeft)),
            ("paused", daemon.map { .boolean($0.isPaused) } ?? .null),
            ("pause_seconds_left", .optional(daemon?.pauseSecondsLeft)),
            ("inboxes", .list(daemon?.inboxes.map(Self.inbox) ?? [])),
            ("warnings", .object(warnings.map { ($0.key, .text($0.value)) })),
            ("counts", .object(PhotographState.allCases.map { ($0.rawValue, .integer(Int64(counts[$0] ?? 0))) })),
            ("failures", .list(failures.map { .object($0.members) })),
        ])
    }

    private static func inbox(_ inbox: InboxStatus) -> JSONText {
        .object([
            ("inbox", .text(inbox.inbox)), ("backend", .text(inbox.backend.rawValue)),
            ("file_system", .text(inbox.fileSystem)), ("away", .boolean(inbox.isAway)),
            ("stability_delay", .number(inbox.stabilityDelay)),
        ])
    }

    var lines: [String] {
        var lines: [String] = []
        if let process {
            lines.append("daemon running, process \(process)" + (daemon.map { ": \($0.summary)" } ?? ""))
        } else {
            lines.append("no daemon is running")
        }
        for inbox in daemon?.inboxes ?? [] where inbox.isAway || inbox.backend == .poll {
            lines.append(printable("\(inbox.inbox) on \(inbox.fileSystem): \(inbox.isAway ? "away" : "polled")"))
        }
        lines += (daemon?.warnings.sorted { $0.key < $1.key } ?? []).map { printable("warning: \($0.value)") }
        let known = PhotographState.allCases.filter { counts[$0] ?? 0 > 0 }
        lines.append(
            known.isEmpty
                ? "no photographs yet" : known.map { "\(counts[$0] ?? 0) \($0.rawValue)" }.joined(separator: ", "))
        if !failures.isEmpty {
            lines.append("latest failures:")
            lines += failures.map { "  \($0.id)  \(printable($0.reason ?? $0.source))" }
        }
        return lines
    }
}
