import Crypto
import Denoising
import Foundation
import SystemPackage

/// Where outputs appear: each is made in a hidden folder on the same file system, and gets its final name only when it
/// is complete. A name that exists is never taken over.
struct OutputFolder: Sendable {
    let path: FilePath
    /// Belongs to one state folder, so that two services may share an output folder.
    let staging: FilePath

    init(_ path: FilePath, state: FilePath) {
        self.path = path
        let mark = SHA256.hash(data: Array(state.string.utf8)).prefix(4).hexadecimal
        staging = path.appending(".denoised-\(mark)")
    }

    /// Creates the folder and removes what an interrupted service left in staging.
    ///
    /// - Throws: `ServiceError`.
    func prepare() throws {
        try createFolder(path)
        removeStaging(staging)
    }

    /// An empty folder for the photograph `id`.
    ///
    /// - Throws: `ServiceError`.
    func stage(_ id: Int64) throws -> FilePath {
        let folder = staging.appending("\(id)" as String)
        removeStaging(folder)
        do {
            try createFolder(folder)
        } catch let error as ServiceError {
            throw Self.unwritable(path, error)
        }
        return folder
    }

    /// What is refused in the folder itself is refused to every photograph.
    private static func unwritable(_ path: FilePath, _ error: ServiceError) -> ServiceError {
        error.errno.map { .inaccessible(path, "write outputs", $0, code: .unwritableOutput) } ?? error
    }

    /// Removes the staging folder of the photograph `id`.
    func unstage(_ id: Int64) {
        removeStaging(staging.appending("\(id)" as String))
    }

    /// Removes the staging folder when the service ends.
    func close() { removeStaging(staging) }

    /// The folder for outputs of `source`: folders inside the inbox are repeated in the output.
    ///
    /// - Throws: `ServiceError`.
    func destination(of source: FilePath, inboxes: [FilePath]) throws -> FilePath {
        var folder = source.removingLastComponent()
        guard let inbox = inboxes.filter({ folder.starts(with: $0) }).max(by: { $0.length < $1.length }),
            folder.removePrefix(inbox)
        else { return path }
        let target = path.appending(folder.components)
        do {
            try createFolder(target)
        } catch let error as ServiceError where target.removingLastComponent() == path {
            throw Self.unwritable(path, error)
        }
        return target
    }

    /// The names to try for an output, one after the other: `name`, `name-2`, `name-3`, …
    static func candidate(_ number: Int, for name: FilePath.Component) -> FilePath.Component {
        guard number > 1 else { return name }
        var path = FilePath(root: nil, [name])
        let suffix = path.extension
        path.extension = nil
        let bytes = path.withPlatformString { Array(UnsafeBufferPointer(start: $0, count: strlen($0))) }
        let ending = "-\(number)" + (suffix.map { ".\($0)" } ?? "")
        // File systems allow 255 bytes.
        var text = Array(bytes.prefix(255 - ending.utf8.count))
        text += ending.utf8.map { CInterop.PlatformChar(truncatingIfNeeded: $0) }
        text.append(0)
        return text.withUnsafeBufferPointer { buffer in
            buffer.baseAddress.flatMap { FilePath.Component(platformString: $0) } ?? name
        }
    }

    /// Gives the durable file `staged` its final name, durably.
    ///
    /// - Returns: false if the name is taken.
    /// - Throws: `ServiceError`.
    func publish(_ staged: FilePath, as final: FilePath) throws -> Bool {
        let linked = staged.withPlatformString { from in final.withPlatformString { link(from, $0) } }
        if linked != 0 {
            let reason = Errno(rawValue: errno)
            if reason == .fileExists { return false }
            // File systems without hard links: only this service writes here, so the gap between both calls is safe.
            guard (try? FileStatus.of(final)) == nil else { return false }
            guard staged.withPlatformString({ from in final.withPlatformString { rename(from, $0) } }) == 0 else {
                let reason = Errno(rawValue: errno)
                // In a folder below, others' photographs may still find their place.
                let isShared = final.removingLastComponent() == path
                throw ServiceError.inaccessible(
                    final, "write the output", reason, code: isShared ? .unwritableOutput : .inaccessible)
            }
        }
        do {
            try synchronize(final.removingLastComponent())
        } catch {
            // What is not durable is not done: the photograph gets its output, and this name, another time.
            _ = final.withPlatformString { unlink($0) }
            throw error
        }
        return true
    }

    /// Makes the names in a folder durable.
    ///
    /// - Throws: `ServiceError`.
    func synchronize(_ folder: FilePath) throws {
        do {
            let descriptor = try FileDescriptor.open(folder, .readOnly, options: [.directory, .closeOnExec])
            try descriptor.closeAfter {
                // Some network file systems cannot synchronise folders and say so with EINVAL.
                if fsync(descriptor.rawValue) != 0, errno != EINVAL { throw Errno(rawValue: errno) }
            }
        } catch let number as Errno {
            throw ServiceError.inaccessible(folder, "make the output durable", number)
        }
    }

    /// Bytes that are free for this process; nil if the file system does not say.
    func freeSpace() -> Int64? {
        var information = statvfs()
        guard path.withPlatformString({ statvfs($0, &information) }) == 0 else { return nil }
        let (bytes, overflow) = Int64(information.f_bavail).multipliedReportingOverflow(by: Int64(information.f_frsize))
        return overflow ? .max : bytes
    }
}

/// Creates a folder and the folders above it, durably.
///
/// - Throws: `ServiceError`.
public func createFolder(_ path: FilePath, permissions: mode_t = 0o777) throws {
    if path.withPlatformString({ mkdir($0, permissions) }) == 0 {
        try? OutputFolder(path, state: path).synchronize(path.removingLastComponent())
        return
    }
    switch Errno(rawValue: errno) {
    case .fileExists:
        guard let status = try? FileStatus.of(path, followingLink: true), status.kind == .folder else {
            throw ServiceError.inaccessible(path, "create the folder", .notDirectory)
        }
    case .noSuchFileOrDirectory where !path.components.isEmpty:
        try createFolder(path.removingLastComponent(), permissions: permissions)
        try createFolder(path, permissions: permissions)
    case let number: throw ServiceError.inaccessible(path, "create the folder", number)
    }
}

/// Removes a staging folder with the files in it; what cannot be removed stays for the next start.
private func removeStaging(_ folder: FilePath) {
    for name in (try? folderEntries(of: folder)) ?? [] {
        let path = folder.appending(name)
        if (try? FileStatus.of(path))?.kind == .folder {
            removeStaging(path)
        } else {
            _ = path.withPlatformString { unlink($0) }
        }
    }
    _ = folder.withPlatformString { rmdir($0) }
}
