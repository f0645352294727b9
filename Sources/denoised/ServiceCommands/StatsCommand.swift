import ArgumentParser
import Ledger

/// `denoised stats`: sums over the ledger.
struct StatsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats", abstract: "Show sums and means over every photograph.")

    @OptionGroup var location: StateOptions

    @Flag(help: "One JSON document.")
    var json = false

    func run() async throws {
        try await reportingFailure {
            let statistics = try location.ledger().ledger.statistics()
            if json {
                print(Self.document(statistics).line)
            } else {
                for line in Self.lines(statistics) { print(line) }
            }
        }
    }

    private static func document(_ statistics: LedgerStatistics) -> JSONText {
        let counts = PhotographState.allCases.map { state in
            (key: state.rawValue, value: JSONText.integer(Int64(statistics.counts[state] ?? 0)))
        }
        let cameras = statistics.cameras.map { camera in
            JSONText.object([
                ("camera", .optional(camera.name)), ("photographs", .integer(Int64(camera.photographs))),
                ("noise_before", .optional(camera.noiseBefore)), ("noise_after", .optional(camera.noiseAfter)),
            ])
        }
        return .object([
            ("counts", .object(counts)), ("megapixels", .number(statistics.megapixels)),
            ("seconds", .number(statistics.seconds)), ("megapixels_per_second", .optional(statistics.speed)),
            ("noise_before", .optional(statistics.noiseBefore)), ("noise_after", .optional(statistics.noiseAfter)),
            ("cameras", .list(cameras)),
        ])
    }

    private static func lines(_ statistics: LedgerStatistics) -> [String] {
        let counts = PhotographState.allCases.filter { statistics.counts[$0] ?? 0 > 0 }
            .map { "\(statistics.counts[$0] ?? 0) \($0.rawValue)" }
        var lines = [
            counts.isEmpty ? "no photographs yet" : counts.joined(separator: ", "),
            "\(decimal(statistics.megapixels)) megapixels in \(decimal(statistics.seconds)) s, "
                + "\(decimal(statistics.speed, digits: 2)) megapixels per second",
            "noise \(noiseChange(statistics.noiseBefore, statistics.noiseAfter)) (mean, of 255)",
        ]
        var table = Table(columns: [
            .init(title: "PHOTOGRAPHS", isNumber: true), .init(title: "NOISE", isNumber: true), .init(title: "CAMERA"),
        ])
        table.rows = statistics.cameras.map {
            ["\($0.photographs)", noiseChange($0.noiseBefore, $0.noiseAfter), $0.name ?? "unknown"]
        }
        if !table.rows.isEmpty { lines += table.lines }
        return lines
    }
}
