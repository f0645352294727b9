import Foundation
import Ledger
import SystemPackage

/// What becomes of originals once their outputs are durable. Without being told so the service never touches one; even
/// then only the very file that was denoised, by its identity and its content.
struct Originals: Sendable {
    /// The folder inside an inbox that archived originals go to.
    static let archive: FilePath.Component = "archived"

    let mode: Configuration.Watch.Success
    let inboxes: [FilePath]

    /// - Parameters:
    ///   - path: the original.
    ///   - content: what was denoised.
    /// - Returns: where the original is now; nil if it was kept or deleted.
    /// - Throws: `ServiceError`; then the original is where it was, unless the error names another place.
    func settle(_ path: FilePath, _ content: ContentHash) throws -> FilePath? {
        guard mode != .keep else { return nil }
        guard try ContentHash(of: path) == content else {
            throw ServiceError(
                .inaccessible, subject: path.string, cause: "the file changed after it was denoised, so it stays",
                remedy: "nothing needs to be done")
        }
        switch mode {
        case .keep: return nil
        case .archive:
            let folder = try archiveFolder(path)
            try createFolder(folder)
            let target = try free(folder, path)
            try move(path, to: target, content.identity)
            return target
        case .delete:
            // Out of the way first: what is under the name by then is looked at once more before it is gone.
            let aside = path.removingLastComponent().appending(".denoised-\(content.text.prefix(16)).deleted")
            try move(path, to: aside, content.identity)
            guard aside.withPlatformString({ unlink($0) }) == 0 else {
                throw ServiceError.inaccessible(aside, "delete the original", Errno(rawValue: errno))
            }
            try synchronizeFolder(path.removingLastComponent())
            return nil
        }
    }

    private func archiveFolder(_ path: FilePath) throws -> FilePath {
        let inbox = inboxes.filter { path.starts(with: $0) }.max { $0.length < $1.length }
        var inner = path.removingLastComponent()
        guard let inbox, inner.removePrefix(inbox) else {
            throw ServiceError(
                .inaccessible, subject: path.string, cause: "it lies in none of the inboxes, so it stays",
                remedy: "nothing needs to be done")
        }
        return inbox.appending(Self.archive).appending(inner.components)
    }

    private func free(_ folder: FilePath, _ path: FilePath) throws -> FilePath {
        for number in 1...100_000 {
            guard let name = path.lastComponent else { break }
            let target = folder.appending(OutputFolder.candidate(number, for: name))
            if (try? FileStatus.of(target)) == nil { return target }
        }
        throw ServiceError.inaccessible(folder, "archive the original", .fileExists)
    }

    /// Moves the file within its file system, and back if it was another one by then. Only this service makes names in
    /// an archive, and the name was free a moment before.
    private func move(_ path: FilePath, to target: FilePath, _ identity: FileIdentity) throws {
        guard path.withPlatformString({ from in target.withPlatformString { rename(from, $0) } }) == 0 else {
            throw ServiceError.inaccessible(path, "move the original to \(target)", Errno(rawValue: errno))
        }
        let moved = try? FileStatus.of(target).identity
        // The change time is that of the move itself.
        guard let moved, moved.inode == identity.inode, moved.size == identity.size,
            moved.modified == identity.modified
        else {
            // Unlike renaming, linking never replaces what has taken the name meanwhile.
            let isBack = target.withPlatformString { from in path.withPlatformString { link(from, $0) } } == 0
            if isBack { _ = target.withPlatformString { unlink($0) } }
            throw ServiceError(
                .inaccessible, subject: path.string, cause: "another file had taken its name",
                remedy: isBack ? "it stays; nothing needs to be done" : "that file lies at \(target)")
        }
        try synchronizeFolder(target.removingLastComponent())
        try synchronizeFolder(path.removingLastComponent())
    }

    private func synchronizeFolder(_ folder: FilePath) throws {
        try OutputFolder(folder, state: folder).synchronize(folder)
    }
}
