import ArgumentParser
import DenoiseService

/// `denoised retry`: tries failed photographs again.
struct RetryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry", abstract: "Put photographs into the queue again.",
        discussion: "The running daemon takes them at once; without one the next does.")

    @OptionGroup var location: StateOptions

    @Argument(help: "Numbers of the photographs, as in history.")
    var ids: [Int64] = []

    @Flag(help: "Every photograph that failed.")
    var failed = false

    @Flag(help: "One JSON document.")
    var json = false

    func validate() throws {
        if ids.isEmpty == !failed { throw ValidationError("Give numbers of photographs, or --failed.") }
    }

    func run() async throws {
        try await reportingFailure {
            let queued = try QueueControl(folder: try location.folder()).retry(failed ? nil : ids)
            printNumbers(queued, as: "queued", json: json)
        }
    }
}

/// "3 queued", or the photographs' numbers as a JSON document.
func printNumbers(_ ids: [Int64], as name: String, json: Bool) {
    print(json ? JSONText.object([(name, .list(ids.map(JSONText.integer)))]).line : "\(ids.count) \(name)")
}
