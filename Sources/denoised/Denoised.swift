import ArgumentParser
import Foundation
import Imaging
import Logging

/// The program: one command for each thing it does.
struct Denoised: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "denoised",
        abstract: "Denoises the photographs that are dropped into a folder.",
        discussion: """
            denoised run                               the daemon, in the foreground
            denoised process IMG_1.DNG --output out    one photograph, no daemon
            denoised history --since 7d                what the ledger knows
            """,
        version: "0.1.0",
        subcommands: [
            RunCommand.self, Process.self, StatusCommand.self, HistoryCommand.self, ShowCommand.self, StatsCommand.self,
            ExplainCommand.self, RetryCommand.self, QuarantineCommand.self, PauseCommand.self, ResumeCommand.self,
            ConfigCommand.self, DoctorCommand.self, Evaluate.self, Compare.self, Bench.self, Train.self, Finetune.self,
            ModelCommand.self,
        ])
}

@main
enum Main {
    static func main() async {
        // Before anything else, so that a decoder has one thread to lock in.
        if let status = DecoderHelper.serve(CommandLine.arguments) { exit(status) }
        LoggingSystem.bootstrap { _ in LineLogHandler() }
        do {
            var command = try Denoised.parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            exit(report(error))
        }
    }

    /// Prints what went wrong, as one line unless it is help, and returns the exit code of the product page.
    private static func report(_ error: any Error) -> Int32 {
        if let code = error as? ExitCode { return code.rawValue }
        let code = Denoised.exitCode(for: error)
        let message = Denoised.fullMessage(for: error)
        if code.isSuccess {
            print(message)
            return 0
        }
        let isUsage = code == .validationFailure
        Console.error(isUsage ? message : "denoised: \(error)")
        return isUsage ? 2 : 1
    }
}
