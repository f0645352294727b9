import Foundation
import Glibc
import Testing

/// The built `denoised`, run with an environment of its own.
struct Program {
    /// What a run left behind.
    struct Outcome {
        let code: Int32
        let output: String
        let errors: String

        /// Lines of standard output.
        var lines: [String] { output.split(separator: "\n").map(String.init) }
        /// Lines of standard error.
        var errorLines: [String] { errors.split(separator: "\n").map(String.init) }

        /// Every line of standard output as a JSON object.
        func objects() throws -> [[String: Any]] {
            try lines.map { line in
                try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            }
        }
    }

    /// The folder that commands start in.
    let folder: URL

    /// Runs a command to its end.
    func callAsFunction(_ arguments: String..., sourceLocation: SourceLocation = #_sourceLocation) throws -> Outcome {
        let run = try start(arguments)
        return try run.finish(sourceLocation: sourceLocation)
    }

    /// Starts a command that goes on until it is told to stop.
    ///
    /// - Parameter fault: what strace shall do to a system call: "write:error=ENOSPC:when=3".
    func start(_ arguments: [String], environment: [String: String] = [:], injecting fault: String? = nil) throws -> Run
    {
        let program = try #require(Self.executable, "build the product first: swift build -c release")
        guard let fault else { return try Run(program, arguments, in: folder, environment: environment) }
        let call = String(fault.prefix { $0 != ":" })
        let traced = [
            "-f", "-qq", "-yy", "-o", folder.appending(path: Strace.log).path, "-e", "trace=\(call)", "-e",
            "inject=\(fault)", program.path,
        ]
        return try Run(URL(filePath: Strace.path), traced + arguments, in: folder, environment: environment)
    }

    /// Beside the test bundle; otherwise the newest in the scratch folders that the Makefile uses.
    static let executable: URL? = {
        let bundle = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        let root = URL(filePath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let scratch = [".build/testing/release", ".build/release"].map { root.appending(path: $0) }
            .sorted { modified($0) > modified($1) }
        return ([bundle] + scratch).map { $0.appending(path: "denoised") }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
    }()

    private static func modified(_ folder: URL) -> Date {
        let values = try? folder.appending(path: "denoised").resolvingSymlinksInPath()
            .resourceValues(forKeys: [.contentModificationDateKey])
        return values?.contentModificationDate ?? .distantPast
    }
}

/// One process of the program.
struct Run {
    /// No command of these tests takes a tenth of this on an idle machine.
    static let limit = DispatchTimeInterval.seconds(60)

    private let process = Process()
    private let end = DispatchSemaphore(value: 0)
    private let texts: URL

    init(_ program: URL, _ arguments: [String], in folder: URL, environment: [String: String]) throws {
        texts = folder.appending(path: "texts-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: texts, withIntermediateDirectories: true)
        process.executableURL = program
        process.arguments = arguments
        process.currentDirectoryURL = folder
        // Neither the configuration nor the service manager of whoever runs the tests.
        process.environment = ["PATH": "/usr/bin:/bin", "HOME": folder.path, "COLUMNS": "100"]
            .merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try Self.file(texts.appending(path: "output"))
        process.standardError = try Self.file(texts.appending(path: "errors"))
        process.terminationHandler = { [end] _ in end.signal() }
        try process.run()
    }

    var isRunning: Bool { process.isRunning }

    var id: Int32 { process.processIdentifier }

    /// Sends any signal.
    func signal(_ number: Int32) { _ = Glibc.kill(id, number) }

    /// Asks again until the answer is yes; false when the time is over or the process has ended.
    func wait(_ seconds: Int, until isDone: () throws -> Bool) throws -> Bool {
        let end = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < end, isRunning {
            if try isDone() { return true }
            usleep(100_000)
        }
        return false
    }

    /// Asks the process to stop, as systemd does.
    func terminate() { process.terminate() }

    /// Ends the process as a crash or a loss of power would.
    func kill() { _ = Glibc.kill(process.processIdentifier, SIGKILL) }

    /// Waits for the end; a process that does not come to it is killed, which fails the test.
    func finish(
        within limit: DispatchTimeInterval = limit, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Program.Outcome {
        if end.wait(timeout: .now() + limit) == .timedOut {
            kill()
            end.wait()
            Issue.record("the program did not end: \(process.arguments ?? [])", sourceLocation: sourceLocation)
        }
        defer { try? FileManager.default.removeItem(at: texts) }
        let isExit = process.terminationReason == .exit
        return Program.Outcome(
            code: isExit ? process.terminationStatus : -process.terminationStatus,
            output: try text("output"), errors: try text("errors"))
    }

    private func text(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: texts.appending(path: name)), as: UTF8.self)
    }

    private static func file(_ url: URL) throws -> FileHandle {
        try Data().write(to: url)
        return try FileHandle(forWritingTo: url)
    }
}
