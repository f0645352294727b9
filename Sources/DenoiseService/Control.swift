import Foundation
import SystemPackage

/// What a command asks of the running daemon: one JSON object on one line.
public struct ControlRequest: Sendable, Codable, Equatable {
    /// What to do; more may be added.
    public enum Command: String, Sendable, Codable {
        case status, pause, resume, retry, release, purge
    }

    public var command: Command
    /// For `pause`: nil until `resume`.
    public var seconds: Double?
    /// For `pause`: whether the photograph in work is finished first.
    public var drains: Bool?
    /// For `retry`, `release` and `purge`: nil for all that failed or are quarantined.
    public var ids: [Int64]?

    public init(_ command: Command, seconds: Double? = nil, drains: Bool? = nil, ids: [Int64]? = nil) {
        self.command = command
        self.seconds = seconds
        self.drains = drains
        self.ids = ids
    }
}

/// What the daemon answers: one JSON object on one line.
public struct ControlReply: Sendable, Codable, Equatable {
    /// One line for people if the daemon refused.
    public var error: String?
    /// For `status`, `pause` and `resume`.
    public var status: StatusFile?
    /// For `retry`, `release` and `purge`: the photographs concerned.
    public var ids: [Int64]?

    init(error: String? = nil, status: StatusFile? = nil, ids: [Int64]? = nil) {
        self.error = error
        self.status = status
        self.ids = ids
    }
}

/// Talks to the daemon of a state folder.
public enum ControlClient {
    /// Longest answer that is read, in bytes.
    private static let limit = 1 << 20
    /// The daemon answers at once, unless the ledger is locked.
    private static let patience = 15

    /// Sends one request and waits for its answer.
    ///
    /// - Returns: nil if no daemon listens there, whatever an earlier one left behind.
    /// - Throws: `ServiceError` with the code `refused` if the daemon refuses or does not answer.
    public static func send(_ request: ControlRequest, to folder: FilePath) throws -> ControlReply? {
        guard let socket = UnixSocket() else { return nil }
        switch socket.connect(folder) {
        case nil: break
        case .noSuchFileOrDirectory?, .connectionRefused?: return nil
        case let number?: throw ServiceError.inaccessible(folder.appending(UnixSocket.name), "ask the daemon", number)
        }
        socket.limitWaiting(seconds: patience)
        let line = try JSONEncoder().encode(request) + Data("\n".utf8)
        guard socket.write(Array(line)), let answer = socket.readLine(limit: limit),
            let reply = try? JSONDecoder().decode(ControlReply.self, from: Data(answer))
        else {
            throw ServiceError(
                .refused, subject: folder.string, cause: "the running daemon does not answer",
                remedy: "see its log, or restart it")
        }
        if let error = reply.error {
            throw ServiceError(
                .refused, subject: request.command.rawValue, cause: error, remedy: "see `denoised status`")
        }
        return reply
    }
}
