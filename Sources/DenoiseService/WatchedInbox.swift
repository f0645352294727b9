import Ledger
import SystemPackage

/// How one inbox is watched, and whether it is there.
struct WatchedInbox {
    let path: FilePath
    let kind: FileSystemKind
    /// How long a file in it must stand still.
    let delay: Duration
    var backend: InboxStatus.Backend
    /// When it is read from end to end again.
    var nextRead: Duration = .zero
    var isAway = false
    /// Whether a file system was mounted there when it was read last.
    private var isMountPoint = false

    init(_ path: FilePath, _ watch: Configuration.Watch, _ kind: FileSystemKind) {
        self.path = path
        self.kind = kind
        delay = watch.stabilityDelay(isNetwork: kind.isNetwork)
        backend = Self.backend(watch.mode, kind)
    }

    static func backend(_ mode: Configuration.Watch.Mode, _ kind: FileSystemKind) -> InboxStatus.Backend {
        switch mode {
        case .auto: kind.reportsChanges ? .events : .poll
        case .events: .events
        case .poll: .poll
        }
    }

    var status: InboxStatus {
        InboxStatus(path, backend, kind.type, isAway: isAway, stabilityDelay: delay)
    }

    /// Looks whether the inbox is there. The empty folder that a share leaves when it is unmounted is not it.
    ///
    /// - Throws: `ServiceError`.
    mutating func lookUp() throws {
        let status: FileStatus
        do {
            status = try FileStatus.of(path, followingLink: true)
            guard status.kind == .folder else { throw Errno.notDirectory }
            _ = try folderEntries(of: path, followingLink: true)
        } catch {
            throw ServiceError.inaccessible(path, "read the inbox", error as? Errno ?? .ioError)
        }
        let parent = try? FileStatus.of(path.removingLastComponent(), followingLink: true)
        let isMounted = parent.map { $0.device != status.device } ?? false
        if isMountPoint, !isMounted {
            throw ServiceError(
                .inaccessible, subject: path.string, cause: "the file system that was mounted there is gone",
                remedy: "mount it again; until then its photographs wait")
        }
        isMountPoint = isMounted
    }
}
