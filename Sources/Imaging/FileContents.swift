import Glibc
import SystemPackage

/// A file's bytes as they were at one moment: hash and decode these, and both speak of the same photograph.
///
/// They lie in sealed memory, which a decoder process can be given without a copy and cannot change.
public struct FileContents: Sendable {
    public let path: FilePath
    let memory: SharedMemory
    private let mapping: MappedBytes

    public var count: Int { memory.count }
    /// A copy of the bytes.
    public var bytes: [UInt8] { withUnsafeBytes { [UInt8]($0) } }

    /// Reads a regular file that does not change meanwhile. Links are followed only where `limits` say so, pipes and
    /// devices not waited for.
    ///
    /// - Throws: `notARegularFile`, `limitExceeded`, `changedWhileReading` when size, modification or change time
    ///   differ after the last byte, `readFailed` otherwise.
    public init(_ path: FilePath, limits: DecodingLimits = DecodingLimits()) throws(ImagingError) {
        let file = ImagingError.display(path)
        do {
            let options: FileDescriptor.OpenOptions = limits.followsLinks ? [] : [.noFollow]
            let descriptor = try FileDescriptor.open(
                path, .readOnly, options: options.union([.nonBlocking, .closeOnExec]))
            defer { try? descriptor.close() }
            let before = try Self.status(of: descriptor)
            guard before.st_mode & S_IFMT == S_IFREG else { throw Self.notRegular(file) }
            guard before.st_size <= limits.fileBytes else {
                throw ImagingError(
                    .limitExceeded, .read, file: file,
                    cause: "\(before.st_size >> 20) MiB exceed the limit of \(limits.fileBytes >> 20) MiB",
                    remedy: "raise the limit or leave the file out")
            }
            let memory = try SharedMemory(count: Int(before.st_size))
            var got = 0
            try memory.fill { got = try Self.read(descriptor, into: $0) }
            try memory.seal(contents: true)
            let after = try Self.status(of: descriptor)
            var extra: UInt8 = 0
            let more = try withUnsafeMutableBytes(of: &extra) { try descriptor.read(into: $0) }
            guard got == memory.count, more == 0, Self.isSame(before, after) else {
                throw ImagingError(
                    .changedWhileReading, .read, file: file, cause: "it changed while it was read",
                    remedy: "wait until it is copied completely")
            }
            self.path = path
            self.memory = memory
            mapping = try MappedBytes(memory.descriptor, count: memory.count)
        } catch let error as ImagingError {
            throw error
        } catch let error as BrokenRead {
            throw Self.refused(file, error.errno, at: error.offset)
        } catch {
            throw Self.refused(file, error as? Errno ?? .ioError)
        }
    }

    /// Hands out the bytes where they lie.
    public func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try mapping.withUnsafeBytes(body)
    }

    private static func status(of descriptor: FileDescriptor) throws -> stat {
        var status = stat()
        guard fstat(descriptor.rawValue, &status) == 0 else { throw Errno(rawValue: errno) }
        return status
    }

    /// A disk that failed in the middle of a file.
    private struct BrokenRead: Error {
        let errno: Errno
        /// Bytes before it that were read.
        let offset: Int
    }

    /// Reads until `block` is full or the file ends; returns the number of bytes.
    private static func read(_ descriptor: FileDescriptor, into block: UnsafeMutableRawBufferPointer) throws -> Int {
        var count = 0
        while count < block.count {
            do {
                let got = try descriptor.read(into: UnsafeMutableRawBufferPointer(rebasing: block[count...]))
                if got == 0 { break }
                count += got
            } catch let error as Errno {
                throw BrokenRead(errno: error, offset: count)
            }
        }
        return count
    }

    private static func isSame(_ before: stat, _ after: stat) -> Bool {
        before.st_size == after.st_size
            && before.st_mtim.tv_sec == after.st_mtim.tv_sec && before.st_mtim.tv_nsec == after.st_mtim.tv_nsec
            && before.st_ctim.tv_sec == after.st_ctim.tv_sec && before.st_ctim.tv_nsec == after.st_ctim.tv_nsec
    }

    private static func notRegular(_ file: String) -> ImagingError {
        ImagingError(
            .notARegularFile, .read, file: file, cause: "it is not a regular file",
            remedy: "put the photograph itself here, not a link, folder or pipe")
    }

    private static func refused(_ file: String, _ errno: Errno, at offset: Int? = nil) -> ImagingError {
        // With O_NOFOLLOW a symbolic link fails with ELOOP, a socket with ENXIO.
        if errno == .tooManySymbolicLinkLevels || errno == .noSuchAddressOrDevice { return notRegular(file) }
        let remedy =
            switch errno {
            case .permissionDenied: "make it readable"
            case .noSuchFileOrDirectory: "check the name"
            default: "check the file system"
            }
        let place = offset.map { " at byte \($0)" } ?? ""
        return ImagingError(
            .readFailed, .read, file: file, cause: errno.description + place, remedy: remedy, errno: errno)
    }
}
