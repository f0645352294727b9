import ArgumentParser
import DenoiseService
import Ledger

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
            let counts = try ledger.counts()
            let failures = try ledger.history(HistoryFilter(status: .failed, limit: 5))
            let process = StateLock.holder(folder: folder)
            let daemon = StatusFile.read(folder: folder)
            if json {
                print(Self.document(process, daemon, counts, failures).line)
            } else {
                for line in Self.lines(process, daemon, counts, failures) { print(line) }
            }
        }
    }

    private static func document(
        _ process: Int32?, _ daemon: StatusFile?, _ counts: [PhotographState: Int], _ failures: [PhotographRecord]
    ) -> JSONText {
        let current = daemon?.current.map { current in
            JSONText.object([
                ("id", .integer(current.id)), ("name", .text(current.name)), ("fraction", .number(current.fraction)),
            ])
        }
        return .object([
            ("running", .boolean(process != nil)), ("pid", process.map { .integer(Int64($0)) } ?? .null),
            ("summary", .optional(daemon?.summary)), ("current", current ?? .null),
            ("seconds_left", .optional(daemon?.secondsLeft)),
            ("counts", .object(PhotographState.allCases.map { ($0.rawValue, .integer(Int64(counts[$0] ?? 0))) })),
            ("failures", .list(failures.map { .object($0.members) })),
        ])
    }

    private static func lines(
        _ process: Int32?, _ daemon: StatusFile?, _ counts: [PhotographState: Int], _ failures: [PhotographRecord]
    ) -> [String] {
        var lines: [String] = []
        if let process {
            lines.append("daemon running, process \(process)" + (daemon.map { ": \($0.summary)" } ?? ""))
        } else {
            lines.append("no daemon is running")
        }
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
