import Foundation
import Ledger
import SystemPackage

/// What the file system says about a name, without following it if it is a link.
struct FileStatus: Sendable, Equatable {
    enum Kind: Sendable, Equatable {
        case file, folder, link, other
    }

    var kind: Kind
    var identity: FileIdentity
    var device: UInt64
    /// Names that the file has.
    var links: Int

    /// - Throws: `Errno`.
    static func of(_ path: FilePath, followingLink: Bool = false) throws(Errno) -> FileStatus {
        var information = stat()
        let result = path.withPlatformString {
            fstatat(AT_FDCWD, $0, &information, followingLink ? 0 : AT_SYMLINK_NOFOLLOW)
        }
        guard result == 0 else { throw Errno(rawValue: errno) }
        return FileStatus(information)
    }

    /// - Throws: `Errno`.
    static func of(_ file: FileDescriptor) throws(Errno) -> FileStatus {
        var information = stat()
        guard fstat(file.rawValue, &information) == 0 else { throw Errno(rawValue: errno) }
        return FileStatus(information)
    }

    private init(_ information: stat) {
        kind =
            switch information.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .folder
            case S_IFLNK: .link
            default: .other
            }
        device = UInt64(information.st_dev)
        links = Int(information.st_nlink)
        identity = FileIdentity(
            size: Int64(information.st_size), modified: Self.nanoseconds(information.st_mtim),
            changed: Self.nanoseconds(information.st_ctim), inode: UInt64(information.st_ino))
    }

    /// Times that do not fit, centuries from now, are as good as any: they only have to differ when they change.
    private static func nanoseconds(_ time: timespec) -> Int64 {
        Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }
}

/// The names in the folder `path`, sorted by their bytes; names that vanish while it is read may be among them.
///
/// - Throws: `Errno`.
func folderEntries(of path: FilePath, followingLink: Bool = false) throws -> [FilePath.Component] {
    let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | (followingLink ? 0 : O_NOFOLLOW)
    let number = path.withPlatformString { open($0, flags) }
    guard number >= 0 else { throw Errno(rawValue: errno) }
    guard let stream = fdopendir(number) else {
        let reason = Errno(rawValue: errno)
        close(number)
        throw reason
    }
    defer { closedir(stream) }
    var names: [FilePath.Component] = []
    errno = 0
    while let entry = readdir(stream) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
            tuple.withMemoryRebound(to: CInterop.PlatformChar.self, capacity: Int(NAME_MAX) + 1) {
                FilePath.Component(platformString: $0)
            }
        }
        if let name, name.kind == .regular { names.append(name) }
        errno = 0
    }
    guard errno == 0 else { throw Errno(rawValue: errno) }
    return names.sorted { left, right in
        left.withPlatformString { left in right.withPlatformString { strcmp(left, $0) < 0 } }
    }
}
