import Foundation
import GRDB
import Ledger
import Synchronization
import SystemPackage
import TestSupport

/// A state folder that disappears with its test, and a clock that stands still unless it is set.
final class LedgerFolder: Sendable {
    let path: FilePath
    private let moment = Mutex(Date(timeIntervalSince1970: 1_800_000_000))

    init() throws {
        path = FilePath(try TemporaryFolder.make("ledger").path)
    }

    var file: FilePath { path.appending(Ledger.fileName) }

    func open() throws -> Ledger {
        try Ledger.open(in: path) { self.moment.withLock { $0 } }
    }

    func advance(by seconds: Double) {
        moment.withLock { $0 += seconds }
    }

    /// Runs plain SQL as any other program would.
    func sql<Value>(_ body: @Sendable (Database) throws -> Value) throws -> Value {
        try DatabaseQueue(path: file.string).write(body)
    }
}

extension FileIdentity {
    /// A file of so many bytes.
    static func sized(_ size: Int64) -> FileIdentity {
        FileIdentity(size: size, modified: 1, changed: 2, inode: 3)
    }
}

/// 64 hexadecimal digits that begin with `digit`.
func digest(_ digit: Character) -> String { String(repeating: digit, count: 64) }

extension Recipe {
    static let standard = Recipe(hash: digest("a"), modelName: "restormer-p", modelHash: digest("b"), preset: "best")
}

extension RetryPolicy {
    static let patient = RetryPolicy(maximumAttempts: 3, backoff: .seconds(60))
}

extension OutputRecord {
    static func at(_ path: FilePath, metrics: [String: Double] = ["noise_before": 12.5]) -> OutputRecord {
        OutputRecord(
            path: path, hash: digest("c"), width: 6000, height: 4000, passes: 18, tilePlan: "4x3 of 512",
            camera: "Canon EOS R5", iso: 3200, metrics: metrics)
    }
}

extension Ledger {
    /// Queues a file and returns its number.
    func queue(_ path: FilePath, size: Int64 = 1) throws -> Int64 {
        try apply([.settling(path, .sized(size)), .queued(path, .sized(size))])
        return try sightings(of: [path])[path]?.id ?? -1
    }

    /// Takes a file to `done`.
    func complete(_ path: FilePath, content: String, output: OutputRecord? = nil) throws -> Int64 {
        let id = try queue(path)
        _ = try claim(id, contentHash: content, identity: .sized(1), recipe: .standard)
        var record = output ?? .at(FilePath("/out/\(id).tiff"))
        record.hash = String(content.reversed()).replacing(content.prefix(1), with: "9")
        try prepare(id, output: record)
        try finish(id)
        return id
    }
}
