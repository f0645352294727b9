import Foundation
import SystemPackage

/// What the running daemon says of itself to other processes, in `status.json` of the state folder.
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

    static let name: FilePath.Component = "status.json"

    init(_ state: ProgressState, at now: Duration) {
        process = getpid()
        summary = state.summary(at: now)
        current = state.current.map { Current(id: $0.id, name: $0.name, fraction: $0.fraction) }
        waiting = state.waiting
        secondsLeft = state.timeLeft(at: now).map { $0 / .seconds(1) }
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
