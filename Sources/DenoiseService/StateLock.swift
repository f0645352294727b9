import Foundation
import SystemPackage

/// The right to work in a state folder, held by one process at a time and given up with its last breath.
public final class StateLock: Sendable {
    private static let name: FilePath.Component = "lock"
    private let file: FileDescriptor

    /// Takes the lock of `folder` and leaves this process's number in it.
    ///
    /// - Throws: `ServiceError` with the code `locked`, naming the other process.
    public init(folder: FilePath) throws {
        let path = folder.appending(Self.name)
        do {
            file = try FileDescriptor.open(
                path, .readWrite, options: [.create, .closeOnExec, .noFollow], permissions: [.ownerReadWrite])
        } catch let number as Errno {
            throw ServiceError.inaccessible(path, "open the lock", number)
        }
        guard Self.take(file) else {
            // All that is stored is set, so throwing runs deinit, which closes the file; closing it here as well would
            // close whatever another thread has opened meanwhile.
            let holder = Self.holder(file)
            throw ServiceError(
                .locked, subject: folder.string,
                cause: "another denoised\(holder.map { ", process \($0)," } ?? "") works in this state folder",
                remedy: "stop it first, or name another folder with --state")
        }
        _ = ftruncate(file.rawValue, 0)
        _ = try? file.writeAll(toAbsoluteOffset: 0, "\(getpid())\n".utf8)
    }

    deinit { try? file.close() }

    /// The process that holds the lock of `folder`: nil if none does, 0 if its number cannot be read.
    public static func holder(folder: FilePath) -> Int32? {
        guard let file = try? FileDescriptor.open(folder.appending(name), .readOnly, options: .closeOnExec) else {
            return nil
        }
        defer { try? file.close() }
        guard flock(file.rawValue, LOCK_SH | LOCK_NB) != 0 else { return nil }
        return holder(file) ?? 0
    }

    /// A question by `holder(folder:)` holds the lock for a moment, so one refusal is not an answer yet.
    private static func take(_ file: FileDescriptor) -> Bool {
        for _ in 0..<5 {
            if flock(file.rawValue, LOCK_EX | LOCK_NB) == 0 { return true }
            usleep(20_000)
        }
        return false
    }

    private static func holder(_ file: FileDescriptor) -> Int32? {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = bytes.withUnsafeMutableBytes { (try? file.read(fromAbsoluteOffset: 0, into: $0)) ?? 0 }
        return Int32(
            String(decoding: bytes.prefix(count), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
    }
}
