import ArgumentParser
import DenoiseService
import Foundation
import Ledger

extension PhotographState: ExpressibleByArgument {}

/// `denoised history`: what became of the photographs.
struct HistoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "List photographs, latest first.",
        usage: "denoised history [<options>]",
        discussion: "A table shows 100 photographs unless --limit says otherwise; --json and --csv show all.")

    @OptionGroup var location: StateOptions

    @Option(help: ArgumentHelp("Only what changed in this time, as 7d, 12h or 30m.", valueName: "time"))
    var since: String?

    @Option(help: "Only photographs in this state.")
    var status: PhotographState?

    @Option(help: ArgumentHelp("Only cameras whose name contains this.", valueName: "text"))
    var camera: String?

    @Option(help: ArgumentHelp("Only this ISO speed and above.", valueName: "n"))
    var isoMin: Double?

    @Option(help: ArgumentHelp("At most so many photographs.", valueName: "n"))
    var limit: Int?

    @Flag(help: "One JSON object a line.")
    var json = false

    @Flag(help: "Comma-separated values with a header.")
    var csv = false

    func validate() throws {
        if json, csv { throw ValidationError("Choose one of --json and --csv.") }
        if let limit, limit < 0 { throw ValidationError("--limit must not be negative.") }
        if let since, parseDuration(since) == nil {
            throw ValidationError("--since takes a time such as 7d, not \(since).")
        }
    }

    func run() async throws {
        try await reportingFailure {
            let moment = since.flatMap(parseDuration).map { Date(timeIntervalSinceNow: -($0 / .seconds(1))) }
            let filter = HistoryFilter(
                since: moment, status: status, camera: camera, isoMinimum: isoMin,
                limit: limit ?? (json || csv ? nil : 100))
            let records = try location.ledger().ledger.history(filter)
            if json {
                for record in records { print(JSONText.object(record.members).line) }
            } else if csv {
                print(commaSeparated(Self.keys))
                for record in records { print(commaSeparated(record.fields)) }
            } else {
                for line in Self.table(records).lines { print(line) }
            }
        }
    }

    private static let keys = [
        "id", "status", "source", "output", "reason", "attempts", "model", "preset", "noise_before", "noise_after",
        "seconds", "megapixels", "camera", "iso", "finished_at",
    ]

    static func table(_ records: [PhotographRecord]) -> Table {
        var table = Table(columns: [
            .init(title: "ID", isNumber: true), .init(title: "STATUS"), .init(title: "NOISE", isNumber: true),
            .init(title: "MP", isNumber: true), .init(title: "SECONDS", isNumber: true),
            .init(title: "ISO", isNumber: true), .init(title: "CAMERA"), .init(title: "SOURCE"),
        ])
        for record in records {
            // The source stands before its reason, which need not name it again.
            let reason = record.reason.map { ": " + $0.replacing(" \(record.source)", with: "") } ?? ""
            table.rows.append([
                "\(record.id)", record.status.rawValue,
                noiseChange(record.noiseBefore, record.noiseAfter), decimal(record.megapixels),
                decimal(record.seconds), decimal(record.iso, digits: 0), record.camera ?? "-", record.source + reason,
            ])
        }
        return table
    }
}
