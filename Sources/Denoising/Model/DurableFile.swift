import Foundation
import Glibc
import Imaging
import SystemPackage

/// Files of our own that may be replaced: models and checkpoints. Photographs never are.
enum DurableFile {
    /// Replaces `path` so that after a crash it holds either the old or the new bytes, never a mix.
    static func replace(_ path: FilePath, with bytes: Data) throws {
        let staging = path.removingLastComponent().appending(".\(path.lastComponent?.string ?? "file").new")
        try? FileManager.default.removeItem(atPath: staging.string)
        let file = try StagedFile(staging)
        try file.write([UInt8](bytes))
        let written = try file.finish()
        guard rename(written.string, path.string) == 0 else {
            throw ImagingError(
                .writeFailed, .write, file: path.string, cause: Errno(rawValue: errno).description,
                remedy: "check the folder's permissions")
        }
        let folder = path.removingLastComponent()
        let descriptor = try FileDescriptor.open(folder.isEmpty ? "." : folder, .readOnly, options: [.directory])
        defer { try? descriptor.close() }
        fsync(descriptor.rawValue)
    }
}
