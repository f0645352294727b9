import Crypto
import Denoising
import Foundation
import Ledger
import SystemPackage

/// The content of a file: its SHA-256 and the state of the file that was read.
struct ContentHash: Sendable, Equatable {
    /// 64 lowercase hexadecimal digits.
    var text: String
    var identity: FileIdentity

    /// What was read before.
    init(text: String, identity: FileIdentity) {
        self.text = text
        self.identity = identity
    }

    /// Reads a regular file; links, pipes and devices are refused without waiting for them.
    ///
    /// - Parameter progress: called for every MiB read.
    /// - Throws: `ServiceError`: `vanished`, `notARegularFile` or `inaccessible`.
    init(of path: FilePath, progress: () -> Void = {}) throws {
        do {
            let file = try FileDescriptor.open(
                path, .readOnly, options: [.noFollow, .nonBlocking, .closeOnExec])
            (text, identity) = try file.closeAfter {
                let status = try FileStatus.of(file)
                guard status.kind == .file else { throw Self.irregular(path) }
                return (try Self.digest(file, progress), status.identity)
            }
        } catch Errno.noSuchFileOrDirectory {
            throw ServiceError(
                .vanished, subject: path.string, cause: "the file disappeared before it was read",
                remedy: "put it back if it shall be denoised")
        } catch Errno.tooManySymbolicLinkLevels {
            throw Self.irregular(path)
        } catch let number as Errno {
            throw ServiceError.inaccessible(path, "read the file", number)
        }
    }

    private static func digest(_ file: FileDescriptor, _ progress: () -> Void) throws -> String {
        var hash = SHA256()
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = try buffer.withUnsafeMutableBytes { try file.read(into: $0) }
            if count == 0 { break }
            buffer.withUnsafeBytes { hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: $0.prefix(count))) }
            progress()
        }
        return hash.finalize().hexadecimal
    }

    private static func irregular(_ path: FilePath) -> ServiceError {
        ServiceError(
            .notARegularFile, subject: path.string, cause: "the file is a link, a pipe or a device",
            remedy: "put the photograph itself into the inbox")
    }
}
