import ArgumentParser
import DenoiseService
import Ledger

/// `denoised quarantine`: photographs that are set aside.
struct QuarantineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quarantine", abstract: "List, release or give up photographs that are set aside.",
        discussion: """
            A photograph is set aside when its error does not pass, when too many attempts failed or when it ended the \
            daemon. Its file stays where it is.
            """,
        subcommands: [List.self, Release.self, Purge.self], defaultSubcommand: List.self)

    /// `denoised quarantine list`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List quarantined photographs, latest first.")

        @OptionGroup var location: StateOptions

        @Flag(help: "One JSON object a line.")
        var json = false

        func run() async throws {
            try await reportingFailure {
                let records = try location.ledger().ledger.history(HistoryFilter(status: .quarantined))
                if json {
                    for record in records { print(JSONText.object(record.members).line) }
                } else {
                    for line in HistoryCommand.table(records).lines { print(line) }
                }
            }
        }
    }

    /// `denoised quarantine release`.
    struct Release: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Put quarantined photographs into the queue again.")

        @OptionGroup var location: StateOptions
        @OptionGroup var choice: Choice

        func run() async throws {
            try await reportingFailure {
                let ids = try QueueControl(folder: try location.folder()).release(choice.numbers)
                printNumbers(ids, as: "queued", json: choice.json)
            }
        }
    }

    /// `denoised quarantine purge`.
    struct Purge: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give quarantined photographs up.",
            discussion: "Their rows become skipped. The files stay; they are taken again only if they change.")

        @OptionGroup var location: StateOptions
        @OptionGroup var choice: Choice

        func run() async throws {
            try await reportingFailure {
                let ids = try QueueControl(folder: try location.folder()).purge(choice.numbers)
                printNumbers(ids, as: "purged", json: choice.json)
            }
        }
    }

    /// Which photographs.
    struct Choice: ParsableArguments {
        @Argument(help: "Numbers of the photographs, as in the list.")
        var ids: [Int64] = []

        @Flag(help: "Every quarantined photograph.")
        var all = false

        @Flag(help: "One JSON document.")
        var json = false

        /// nil for all.
        var numbers: [Int64]? { all ? nil : ids }

        func validate() throws {
            if ids.isEmpty == !all { throw ValidationError("Give numbers of photographs, or --all.") }
        }
    }
}
