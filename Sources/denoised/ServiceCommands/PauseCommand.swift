import ArgumentParser
import DenoiseService
import SystemPackage

/// `denoised pause`: gives the machine to whoever needs it.
struct PauseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Let the running daemon begin no photographs.",
        discussion: """
            The photograph in work is held where it is, with its memory; --drain finishes it first. Files that arrive \
            are still queued. A pause ends with `denoised resume`, after --for, or with the daemon.
            """)

    @OptionGroup var location: StateOptions

    @Option(name: .customLong("for"), help: ArgumentHelp("End the pause after this time, as 30m.", valueName: "time"))
    var duration: String?

    @Flag(help: "Finish the photograph in work.")
    var drain = false

    @Flag(help: "One JSON document.")
    var json = false

    func validate() throws {
        if let duration, parseDuration(duration) == nil {
            throw ValidationError("--for takes a time such as 30m, not \(duration).")
        }
    }

    func run() async throws {
        try await reportingFailure {
            let seconds = duration.flatMap(parseDuration).map { $0 / .seconds(1) }
            try control(ControlRequest(.pause, seconds: seconds, drains: drain), location, json: json)
        }
    }
}

/// `denoised resume`: ends a pause.
struct ResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "End the running daemon's pause.")

    @OptionGroup var location: StateOptions

    @Flag(help: "One JSON document.")
    var json = false

    func run() async throws {
        try await reportingFailure { try control(ControlRequest(.resume), location, json: json) }
    }
}

/// Asks the running daemon for a pause or its end, and prints how it stands then.
private func control(_ request: ControlRequest, _ location: StateOptions, json: Bool) throws {
    let folder = try location.folder()
    guard let status = try ControlClient.send(request, to: folder)?.status else {
        throw ServiceError(
            .refused, subject: folder.string, cause: "no daemon is running", remedy: "start it with `denoised run`")
    }
    if json {
        print(
            JSONText.object([
                ("paused", .boolean(status.isPaused)), ("pause_seconds_left", .optional(status.pauseSecondsLeft)),
                ("summary", .text(status.summary)),
            ]).line)
    } else {
        let left = status.pauseSecondsLeft.map { " for \(Console.duration($0))" } ?? ""
        print(status.isPaused ? "paused\(left)" : "resumed")
    }
}
