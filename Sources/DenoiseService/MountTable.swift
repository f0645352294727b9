import Foundation
import SystemPackage

/// The file systems of this machine by their mount points.
///
/// The names in /proc/self/mountinfo say more than the numbers of statfs(2): which FUSE program it is, and what an
/// overlay lies on.
struct MountTable: Sendable {
    struct Mount: Sendable, Equatable {
        var point: FilePath
        /// As "ext4", "nfs4" or "fuse.sshfs".
        var type: String
        /// The file system's own options, as "rw,lowerdir=/a:/b".
        var options: String
    }

    /// In the order of mounting; a later mount hides earlier ones.
    let mounts: [Mount]

    /// The table of this process as it is now.
    static func current() -> MountTable {
        MountTable(
            FileManager.default.contents(atPath: "/proc/self/mountinfo").map { String(decoding: $0, as: UTF8.self) }
                ?? "")
    }

    /// - Parameter text: lines as proc(5) describes them under mountinfo.
    init(_ text: String) {
        mounts = text.split(separator: "\n").compactMap { line in
            let halves = line.components(separatedBy: " - ")
            let left = halves[0].split(separator: " ")
            guard halves.count >= 2, left.count >= 5 else { return nil }
            let right = halves[1...].joined(separator: " - ").split(separator: " ")
            guard let type = right.first else { return nil }
            return Mount(
                point: FilePath(Self.unescaped(left[4])), type: String(type),
                options: right.count > 2 ? String(right[2]) : "")
        }
    }

    /// The mount that `path` lies on; `path` has no links in it. nil if the table is not to be had.
    func mount(of path: FilePath) -> Mount? {
        mounts.filter { path.starts(with: $0.point) }.enumerated().max { left, right in
            (left.element.point.components.count, left.offset) < (right.element.point.components.count, right.offset)
        }?.element
    }

    /// What `path` lies on, seen through links and overlays.
    func kind(of path: FilePath) -> FileSystemKind {
        let resolved = FilePath((path.string as NSString).resolvingSymlinksInPath)
        guard let mount = mount(of: resolved) else { return FileSystemKind(type: "unknown") }
        guard mount.type == "overlay" else { return FileSystemKind(type: mount.type) }
        let layers = mount.options.split(separator: ",").flatMap { option -> [String] in
            let parts = option.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, ["lowerdir", "upperdir"].contains(parts[0]) else { return [] }
            return parts[1].split(separator: ":").map(String.init)
        }
        let below = layers.compactMap { layer in self.mount(of: FilePath(layer)).map { FileSystemKind(type: $0.type) } }
        return below.first { $0.isNetwork }.map { FileSystemKind(type: "overlay on \($0.type)", like: $0) }
            ?? FileSystemKind(type: "overlay")
    }

    /// Space, tab, newline and backslash are written as \040, \011, \012 and \134.
    private static func unescaped(_ text: Substring) -> String {
        var text = String(text)
        for (code, character) in [("040", " "), ("011", "\t"), ("012", "\n"), ("134", "\\")] {
            text = text.replacing("\\\(code)", with: character)
        }
        return text
    }
}

/// What a kind of file system means for a service.
public struct FileSystemKind: Sendable, Equatable {
    /// The kernel's name of it.
    public var type: String
    /// Other machines may change it, and neither locks nor attributes are as reliable as on a local disk.
    public var isNetwork: Bool
    /// The kernel reports the changes that are made to it.
    public var reportsChanges: Bool

    private static let network: Set<String> = [
        "nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "ncpfs", "davfs",
        "fuse.sshfs", "fuse.rclone", "fuse.davfs2", "fuse.s3fs", "fuse.glusterfs", "fuse.ceph", "fuse.smbnetfs",
        "fuse.gvfsd-fuse", "fuse.curlftpfs",
    ]
    /// Of a virtual machine's host, which makes changes of its own.
    private static let host: Set<String> = ["virtiofs", "vboxsf", "prl_fs", "fuse.vmhgfs-fuse", "fuse.grpcfuse"]

    init(type: String) {
        self.type = type
        isNetwork = Self.network.contains(type)
        let isForeign = Self.host.contains(type) || type == "fuse" || type.hasPrefix("fuse.")
        reportsChanges = !isNetwork && !isForeign
    }

    init(type: String, like other: FileSystemKind) {
        self = other
        self.type = type
    }
}
