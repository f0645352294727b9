import Foundation
import SystemPackage

/// Ends a wait from another thread.
final class WakeUp: Sendable {
    let reader: FileDescriptor
    private let writer: FileDescriptor

    /// - Throws: `Errno` if the process has no file descriptors left.
    init() throws {
        (reader, writer) = try FileDescriptor.pipe()
        for end in [reader, writer] {
            _ = fcntl(end.rawValue, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end.rawValue, F_SETFL, O_NONBLOCK)
        }
    }

    deinit {
        try? reader.close()
        try? writer.close()
    }

    /// Waits until someone rings or the time is over.
    func wait(atMost time: Duration) {
        var source = pollfd(fd: reader.rawValue, events: Int16(POLLIN), revents: 0)
        _ = poll(&source, 1, DirectoryWatcher.milliseconds(time))
    }

    /// Every wait returns at once until `clear`.
    func ring() {
        _ = try? writer.writeAll([1])
    }

    /// What was rung for is known; later waits wait again.
    func clear() {
        var buffer = [UInt8](repeating: 0, count: 64)
        while buffer.withUnsafeMutableBytes({ (try? reader.read(into: $0)) ?? 0 }) == buffer.count {}
    }
}
