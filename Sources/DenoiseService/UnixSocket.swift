import Foundation
import SystemPackage

/// A stream socket under a name in a state folder. Raw addresses stay in this file.
final class UnixSocket: Sendable {
    static let name: FilePath.Component = "control.socket"

    let descriptor: FileDescriptor

    /// nil if the process has no file descriptors left.
    init?() {
        let number = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { return nil }
        descriptor = FileDescriptor(rawValue: number)
    }

    private init(_ descriptor: FileDescriptor) {
        self.descriptor = descriptor
    }

    deinit { try? descriptor.close() }

    /// - Returns: why it did not work; nil if it did.
    func connect(_ folder: FilePath) -> Errno? {
        Self.withAddress(in: folder) { address, length in
            Glibc.connect(descriptor.rawValue, address, length) == 0 ? nil : Errno(rawValue: errno)
        }
    }

    /// Listens under the name, for this user and root only. What a daemon that was killed left under it is removed:
    /// the caller holds the state folder's lock, so nobody else listens there.
    ///
    /// - Throws: `Errno`.
    func listen(_ folder: FilePath) throws {
        let path = folder.appending(Self.name)
        _ = path.withPlatformString { unlink($0) }
        let refusal = Self.withAddress(in: folder) { address, length in
            bind(descriptor.rawValue, address, length) == 0 ? nil : Errno(rawValue: errno)
        }
        if let refusal { throw refusal }
        // Nobody can connect before `listen`, so the mode is right from the first connection on.
        guard path.withPlatformString({ chmod($0, 0o600) }) == 0, Glibc.listen(descriptor.rawValue, 16) == 0 else {
            throw Errno(rawValue: errno)
        }
        _ = fcntl(descriptor.rawValue, F_SETFL, O_NONBLOCK)
    }

    /// The next connection; nil if there is none.
    func accept() -> UnixSocket? {
        let number = Glibc.accept(descriptor.rawValue, nil, nil)
        guard number >= 0 else { return nil }
        _ = fcntl(number, F_SETFD, FD_CLOEXEC)
        return UnixSocket(FileDescriptor(rawValue: number))
    }

    /// Reading and writing fail when nothing happens for so long.
    func limitWaiting(seconds: Int) {
        var time = timeval(tv_sec: seconds, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor.rawValue, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    /// Whether all bytes were taken. A peer that is gone is an answer, not a signal.
    func write(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                send(descriptor.rawValue, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// The bytes before the first newline; nil if none comes in time or within `limit` bytes.
    func readLine(limit: Int) -> [UInt8]? {
        var line: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while line.count <= limit {
            let count = recv(descriptor.rawValue, &buffer, buffer.count, 0)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return nil }
            if let end = buffer[..<count].firstIndex(of: UInt8(ascii: "\n")) { return line + buffer[..<end] }
            line += buffer[..<count]
        }
        return nil
    }

    /// Addresses hold 107 bytes; the name of the open folder in /proc is short whatever its path.
    private static func withAddress(
        in folder: FilePath, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Errno?
    ) -> Errno? {
        let number = folder.withPlatformString { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard number >= 0 else { return Errno(rawValue: errno) }
        defer { close(number) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: "/proc/self/fd/\(number)/\(name)".utf8) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
