import ArgumentParser
import DenoiseService
import Ledger
import SystemPackage

/// `denoised explain`: why a file was, was not or will not be denoised.
struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Say why a file was, was not or will not be denoised.")

    @OptionGroup var location: StateOptions

    @OptionGroup var folders: FolderOptions

    @Argument(help: "The file.")
    var path: String

    @Flag(help: "One JSON document.")
    var json = false

    func run() async throws {
        try await reportingFailure {
            let settings = try location.configuration(folders.flags)
            let explanation = try Explanation(
                FilePath(absolute(path)), configuration: settings, ledger: try ledger(settings))
            if json {
                print(Self.document(explanation, path: absolute(path)).line)
            } else {
                print(printable("\(absolute(path)): \(explanation.sentence)"))
            }
        }
    }

    /// Without a ledger the rules still tell what will happen.
    private func ledger(_ settings: Configuration) throws -> Ledger? {
        do {
            return try Ledger.openForReading(in: settings.state)
        } catch let error as LedgerError where error.code == .missing {
            return nil
        }
    }

    private static func document(_ explanation: Explanation, path: String) -> JSONText {
        .object([
            ("path", .text(path)), ("verdict", .text(explanation.verdict.rawValue)),
            ("explanation", .text(explanation.sentence)),
            ("photograph", explanation.record.map { .object($0.members) } ?? .null),
        ])
    }
}
