import ArgumentParser
import DenoiseService
import Ledger

/// `denoised show`: everything about one photograph.
struct ShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show everything that is known of a photograph.")

    @OptionGroup var location: StateOptions

    @Argument(help: "Number of the photograph, as in history.")
    var id: Int64

    @Flag(help: "One JSON document.")
    var json = false

    func run() async throws {
        try await reportingFailure {
            let details = try location.ledger().ledger.show(id)
            if json {
                print(JSONText.object(details.record.members).line)
            } else {
                for line in Self.lines(details) { print(line) }
            }
        }
    }

    private static func lines(_ details: PhotographDetails) -> [String] {
        let record = details.record
        var size: String?
        if let width = details.width, let height = details.height { size = "\(width) × \(height)" }
        var facts: [(String, String?)] = [
            ("photograph", "\(record.id)"), ("status", record.status.rawValue), ("reason", record.reason),
            ("next attempt", details.retryAt),
            ("source", record.source), ("output", record.output), ("duplicate of", details.duplicateOf.map { "\($0)" }),
            ("camera", record.camera), ("lens", details.lens), ("ISO", record.iso.map { decimal($0, digits: 0) }),
            ("exposure", details.exposure.map(exposureTime)), ("size", size), ("model", record.model),
            ("preset", record.preset), ("passes", details.passes.map { "\($0)" }), ("tiles", details.tilePlan),
        ]
        facts += measurements(details.metrics)
        facts += [
            ("content", details.contentHash), ("recipe", details.recipeHash), ("finished", record.finishedAt),
        ]
        facts += details.attempts.map { ("attempt \($0.number)", attempt($0, of: record)) }
        return factLines(facts.compactMap { fact in fact.1.map { (fact.0, $0) } })
    }

    /// The metrics that the service records, rounded for people; others follow as they are.
    private static func measurements(_ metrics: [String: Double]) -> [(String, String?)] {
        let stages = ["decode", "measure", "network", "encode"].compactMap { stage in
            metrics["seconds_\(stage)"].map { "\(stage) \(decimal($0))" }
        }
        let seconds = metrics["seconds"].map { total in
            "\(decimal(total)) s" + (stages.isEmpty ? "" : " (\(stages.joined(separator: ", ")))")
        }
        let facts: [(String, String?)] = [
            ("noise", metrics["noise_before"].map { noiseChange($0, metrics["noise_after"]) + " of 255" }),
            ("noise correlation", metrics["noise_correlation"].map { decimal($0, digits: 2) }),
            ("colour drift", metrics["colour_drift"].map { decimal($0, digits: 2) + " of 255" }),
            ("time", seconds),
            ("speed", metrics["megapixels_per_second"].map { decimal($0, digits: 2) + " megapixels per second" }),
            ("peak memory", metrics["peak_mib"].map { decimal($0, digits: 0) + " MiB" }),
        ]
        let known: Set = [
            "noise_before", "noise_after", "noise_correlation", "colour_drift", "seconds", "megapixels",
            "megapixels_per_second", "peak_mib",
        ]
        let others = metrics.filter { !known.contains($0.key) && !$0.key.hasPrefix("seconds_") }
        return facts + others.sorted { $0.key < $1.key }.map { ($0.key, decimal($0.value, digits: 3)) }
    }

    /// "2026-01-31T10:00:00.000Z failed: why"; the reason only where the photograph's own is another one.
    private static func attempt(_ attempt: AttemptRecord, of record: PhotographRecord) -> String {
        let reason = attempt.reason == record.reason ? nil : attempt.reason
        return "\(attempt.startedAt) \(attempt.outcome ?? "running")" + (reason.map { ": \($0)" } ?? "")
    }
}
