import Denoising
import Foundation
import Ledger
import Logging
import Synchronization
import SystemPackage
import TestSupport

@testable import DenoiseService

/// Inbox, output and state folder that disappear with their test.
final class ServiceFolder: Sendable {
    let root: FilePath

    init() throws {
        root = FilePath(try TemporaryFolder.make("service").path)
        for folder in [inbox, output, state] { try createFolder(folder) }
    }

    var inbox: FilePath { root.appending("in") }
    var output: FilePath { root.appending("out") }
    var state: FilePath { root.appending("state") }

    /// Files in the inbox are complete at once.
    var configuration: Configuration {
        var configuration = Configuration()
        configuration.watch.paths = [inbox]
        configuration.watch.stabilityDelay = .zero
        configuration.output.directory = output
        configuration.state = state
        configuration.limits.minimumFreeSpace = 0
        return configuration
    }

    func ledger() throws -> Ledger { try Ledger.open(in: state) }

    func put(_ content: String, as name: String) throws {
        let path = inbox.pushing(FilePath(name))
        try createFolder(path.removingLastComponent())
        try write(content.utf8, to: path)
    }

    /// Names in the output folder and its folders.
    func outputs() throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: output.string).sorted()
    }

    /// One oneshot run of a whole daemon.
    ///
    /// - Parameter seconds: so much later by the wall clock.
    @discardableResult
    func drain(
        _ denoiser: any PhotographDenoising, _ configuration: Configuration? = nil, later seconds: Double = 0
    ) async throws -> Daemon.Outcome {
        let configuration = configuration ?? self.configuration
        let daemon = try Daemon(
            configuration: configuration, denoiser: denoiser,
            ledger: try Ledger.open(in: state) { Date(timeIntervalSinceNow: seconds) },
            lock: try Daemon.lock(configuration), logger: .silent, manager: ServiceManager(environment: [:]))
        return try await daemon.run(oneshot: true)
    }

    /// Source name and state of every photograph, oldest first.
    func history() throws -> [String] {
        try Ledger.openForReading(in: state).history().sorted { $0.id < $1.id }.map {
            "\(FilePath($0.source).lastComponent?.string ?? "") \($0.status.rawValue)"
        }
    }
}

extension Logger {
    static var silent: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }

    static func keeping(_ log: KeptLog) -> Logger { Logger(label: "test") { _ in KeepingHandler(log: log) } }
}

/// What a service said, as "message file=/in/a", with the metadata by name.
final class KeptLog: Sendable {
    private let kept = Mutex<[String]>([])

    var lines: [String] { kept.withLock { $0 } }

    fileprivate func keep(_ line: String) { kept.withLock { $0.append(line) } }
}

private struct KeepingHandler: LogHandler {
    let log: KeptLog
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let facts = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }
        log.keep("\(event.message)" + facts.joined())
    }
}
