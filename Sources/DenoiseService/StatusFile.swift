import Foundation
import SystemPackage

/// What the running daemon says of itself to other processes: through the control socket, and in `status.json` of the
/// state folder for when the socket does not answer.
public struct StatusFile: Sendable, Codable, Equatable {
    /// The photograph that is being denoised.
    public struct Current: Sendable, Codable, Equatable {
        public var id: Int64
        public var name: String
        /// 0…1.
        public var fraction: Double
    }

    public var process: Int32
    /// One line for people.
    public var summary: String
    public var current: Current?
    public var waiting: Int
    /// nil if nothing tells.
    public var secondsLeft: Double?
    /// Whether no photograph is begun because someone said so.
    public var isPaused: Bool
    /// nil for a pause without end, and without a pause.
    public var pauseSecondsLeft: Double?
    /// What is amiss, by subject.
    public var warnings: [String: String]
    public var inboxes: [InboxStatus]

    static let name: FilePath.Component = "status.json"

    init(_ state: ProgressState, pause: PauseGate.Pause? = nil, at now: Duration) {
        process = getpid()
        summary = state.summary(at: now)
        current = state.current.map { Current(id: $0.id, name: $0.name, fraction: $0.fraction) }
        waiting = state.waiting
        secondsLeft = state.timeLeft(at: now).map { $0 / .seconds(1) }
        isPaused = pause != nil
        pauseSecondsLeft = pause?.end.map { max($0 - now, .zero) / .seconds(1) }
        warnings = state.warnings
        inboxes = state.inboxes
    }

    /// What the daemon that works in `folder` says; nil if none does.
    public static func read(folder: FilePath) -> StatusFile? {
        guard let holder = StateLock.holder(folder: folder),
            let data = FileManager.default.contents(atPath: folder.appending(name).string),
            let status = try? JSONDecoder().decode(StatusFile.self, from: data), status.process == holder
        else { return nil }
        return status
    }

    /// Replaces the file; it need not survive a power loss.
    func write(folder: FilePath) {
        guard let data = try? JSONEncoder().encode(self) else { return }
        let final = folder.appending(Self.name)
        let temporary = folder.appending(".status.json")
        guard
            let file = try? FileDescriptor.open(
                temporary, .writeOnly, options: [.create, .truncate, .closeOnExec, .noFollow],
                permissions: [.ownerReadWrite, .groupRead]),
            (try? file.closeAfter { try file.writeAll(data) }) != nil
        else { return }
        _ = temporary.withPlatformString { from in final.withPlatformString { rename(from, $0) } }
    }
}
