import ArgumentParser
import DenoiseService
import Foundation
import Ledger

/// The exit codes of the product page.
enum ExitStatus {
    static let failed = ExitCode(1)
    static let usage = ExitCode(2)
    static let someFailed = ExitCode(3)
    static let missing = ExitCode(10)
    static let locked = ExitCode(11)
    static let badConfiguration = ExitCode(78)
    static let interrupted = ExitCode(130)
}

/// Runs the body of a command: an error becomes one line on standard error and the exit code that fits it.
func reportingFailure<Value>(_ body: () async throws -> Value) async throws -> Value {
    do {
        return try await body()
    } catch let code as ExitCode {
        throw code
    } catch let error as ValidationError {
        throw error
    } catch {
        complain(error)
        throw exitCode(for: error)
    }
}

/// Writes an error as one line to standard error.
func complain(_ error: any Error) {
    try? FileHandle.standardError.write(contentsOf: Data("denoised: \(printable("\(error)"))\n".utf8))
}

private func exitCode(for error: any Error) -> ExitCode {
    if let error = error as? ServiceError {
        switch error.code {
        case .badConfiguration, .networkState: return ExitStatus.badConfiguration
        case .missingConfiguration: return ExitStatus.missing
        case .locked: return ExitStatus.locked
        default: return ExitStatus.failed
        }
    }
    if let error = error as? LedgerError {
        switch error.code {
        // A full disk passes, and damage is mended at the next start, so a service manager may try again.
        case .unknownPhotograph, .wrongState, .inaccessible, .full, .corrupt: return ExitStatus.failed
        case .busy: return ExitStatus.locked
        default: return ExitStatus.missing
        }
    }
    return ExitStatus.failed
}
