import Ledger
import SystemPackage

/// Changes to the queue from outside: by the running daemon, which is the ledger's one writer, or else with its lock.
public struct QueueControl: Sendable {
    public let folder: FilePath

    public init(folder: FilePath) {
        self.folder = folder
    }

    /// Puts photographs into the queue again.
    ///
    /// - Parameter ids: nil for all that failed.
    /// - Returns: those that were queued.
    public func retry(_ ids: [Int64]?) throws -> [Int64] {
        try perform(.retry, ids) { ledger in
            guard let ids else { return try ledger.retryFailed() }
            try ledger.retry(ids)
            return ids
        }
    }

    /// Puts quarantined photographs into the queue again.
    ///
    /// - Parameter ids: nil for all.
    public func release(_ ids: [Int64]?) throws -> [Int64] { try perform(.release, ids) { try $0.release(ids) } }

    /// Gives quarantined photographs up.
    ///
    /// - Parameter ids: nil for all.
    public func purge(_ ids: [Int64]?) throws -> [Int64] { try perform(.purge, ids) { try $0.purge(ids) } }

    private func perform(
        _ command: ControlRequest.Command, _ ids: [Int64]?, _ body: (Ledger) throws -> [Int64]
    ) throws -> [Int64] {
        if let reply = try ControlClient.send(ControlRequest(command, ids: ids), to: folder) { return reply.ids ?? [] }
        // Says that there is none rather than creating one.
        _ = try Ledger.openForReading(in: folder)
        let lock = try StateLock(folder: folder)
        defer { withExtendedLifetime(lock) {} }
        return try body(try Ledger.open(in: folder))
    }
}
