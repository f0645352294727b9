import Dispatch
import Foundation
import SystemPackage

/// A program of the operator's that is run for a photograph. It hears of it by environment variables:
/// `DENOISED_SOURCE`, `DENOISED_OUTPUT`, `DENOISED_JOB_ID`, `DENOISED_STATUS` and `DENOISED_REASON`.
struct Hook: Sendable {
    let program: FilePath
    let timeout: Duration

    /// A name and its value, whose bytes need not be text.
    typealias Variable = (name: String, value: [UInt8])

    /// Runs the program to its end in a process group of its own; a program that takes too long ends with its group.
    ///
    /// - Parameters:
    ///   - beat: called every second.
    ///   - isCancelled: asked every second; true ends the program as the timeout does.
    /// - Throws: `ServiceError` with the code `hookFailed`.
    func run(_ variables: [Variable], beat: () -> Void, isCancelled: () -> Bool) throws {
        let child = try start(variables)
        let ended = DispatchSemaphore(value: 0)
        let status = ExitStatusBox()
        Thread.detachNewThread {
            var value: Int32 = 0
            while waitpid(child, &value, 0) < 0, errno == EINTR {}
            status.value = value
            ended.signal()
        }
        let end = ContinuousClock.now + timeout
        while ended.wait(timeout: .now() + .milliseconds(Self.wait(until: end))) == .timedOut {
            beat()
            let isLate = ContinuousClock.now >= end
            guard isLate || isCancelled() else { continue }
            kill(-child, SIGKILL)
            ended.wait()
            throw failure(isLate ? "it took longer than \(ConfigurationKey.text(timeout))" : "the service stops")
        }
        // What it left running in the background ends with it.
        kill(-child, SIGKILL)
        let signal = status.value & 0x7F
        if signal != 0 { throw failure("it ended by signal \(signal)") }
        let code = status.value >> 8 & 0xFF
        if code != 0 { throw failure("it ended with exit code \(code)") }
    }

    private static func wait(until end: ContinuousClock.Instant) -> Int {
        Int(min(max((end - ContinuousClock.now) / .milliseconds(1), 0), 1000).rounded(.up))
    }

    private func start(_ variables: [Variable]) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        // Standard output belongs to the command that the service is.
        posix_spawn_file_actions_adddup2(&actions, 2, 1)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        var environment = Self.environment(variables).map { strdup($0.map { CChar(truncatingIfNeeded: $0) } + [0]) }
        defer { for text in environment { free(text) } }
        environment.append(nil)
        var child: pid_t = 0
        let result = program.withPlatformString { path in
            var arguments: [UnsafeMutablePointer<CChar>?] = [strdup(path), nil]
            defer { free(arguments[0]) }
            return posix_spawn(&child, path, &actions, &attributes, &arguments, &environment)
        }
        guard result == 0 else { throw failure("it cannot be run (\(Errno(rawValue: result)))") }
        return child
    }

    /// The service's own variables but those that systemd set for the service alone, and `variables`.
    private static func environment(_ variables: [Variable]) -> [[UInt8]] {
        let own = ProcessInfo.processInfo.environment.filter {
            !["NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"].contains($0.key) && !$0.key.hasPrefix("DENOISED_")
        }
        return own.map { Array("\($0.key)=\($0.value)".utf8) }
            + variables.map { Array("\($0.name)=".utf8) + $0.value.filter { $0 != 0 } }
    }

    private func failure(_ cause: String) -> ServiceError {
        ServiceError(.hookFailed, subject: program.string, cause: cause, remedy: "see what it wrote to the log")
    }
}

/// Written by the thread that waits for a child before it signals, read after the signal.
private final class ExitStatusBox: @unchecked Sendable {
    var value: Int32 = 0
}
