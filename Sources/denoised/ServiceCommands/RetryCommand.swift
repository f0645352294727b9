import ArgumentParser
import Ledger

/// `denoised retry`: tries failed photographs again.
struct RetryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry", abstract: "Put photographs into the queue again.",
        discussion: "A running daemon takes them within a second; otherwise the next one does.")

    @OptionGroup var location: StateOptions

    @Argument(help: "Numbers of the photographs, as in history.")
    var ids: [Int64] = []

    @Flag(help: "Every photograph that failed.")
    var failed = false

    func validate() throws {
        if ids.isEmpty == !failed { throw ValidationError("Give numbers of photographs, or --failed.") }
    }

    func run() async throws {
        try await reportingFailure {
            let folder = try location.folder()
            // Says that there is none rather than creating one.
            _ = try Ledger.openForReading(in: folder)
            let ledger = try Ledger.open(in: folder)
            let queued = failed ? try ledger.retryFailed() : ids
            if !failed { try ledger.retry(ids) }
            print("\(queued.count) queued")
        }
    }
}
