import CImageShims
import Glibc
import SystemPackage

/// An anonymous file in memory that another process can be given.
///
/// Its size is fixed before anyone else sees it, so that nobody can grow it without bounds or cut it off.
final class SharedMemory: Sendable {
    /// Owned by this object.
    let descriptor: FileDescriptor
    let count: Int

    /// Memory of `count` bytes that are zero, and take no room before they are written.
    init(count: Int) throws(Errno) {
        let raw = shim_memory_create(count)
        guard raw >= 0 else { throw Errno(rawValue: errno) }
        descriptor = FileDescriptor(rawValue: raw)
        self.count = count
    }

    deinit { try? descriptor.close() }

    /// Fixes the size for ever and, with `contents`, every byte.
    func seal(contents: Bool = false) throws(Errno) {
        guard shim_memory_seal(descriptor.rawValue, contents ? 1 : 0) == 0 else { throw Errno(rawValue: errno) }
    }

    /// Hands out the memory for writing; `body` must keep no pointer to it.
    func fill(_ body: (UnsafeMutableRawBufferPointer) throws -> Void) throws {
        guard count > 0 else { return }
        let block = try Self.map(descriptor, count, PROT_READ | PROT_WRITE, MAP_SHARED)
        defer { munmap(block, count) }
        try body(UnsafeMutableRawBufferPointer(start: block, count: count))
    }

    /// Copies the first `count` samples into an array, and gives their memory back meanwhile: at no time are both there
    /// in full.
    ///
    /// It is read, not mapped: whatever other processes did to it, a wrong size ends in an error.
    func take<Sample>(_ count: Int, of type: Sample.Type) throws(Errno) -> [Sample] {
        let size = MemoryLayout<Sample>.stride
        var failure: Errno?
        let samples = [Sample](unsafeUninitializedCapacity: count) { buffer, initialized in
            let target = UnsafeMutableRawBufferPointer(buffer)
            var offset = 0
            while offset < count * size {
                let block = UnsafeMutableRawBufferPointer(
                    rebasing: target[offset..<min(offset + 8 << 20, count * size)])
                let got = pread(descriptor.rawValue, block.baseAddress, block.count, off_t(offset))
                if got < 0, errno == EINTR { continue }
                guard got > 0 else {
                    failure = got < 0 ? Errno(rawValue: errno) : .ioError
                    return
                }
                shim_memory_release(descriptor.rawValue, off_t(offset), off_t(got))
                offset += got
            }
            initialized = count
        }
        if let failure { throw failure }
        return samples
    }

    static func map(
        _ descriptor: FileDescriptor, _ count: Int, _ protection: Int32, _ flags: Int32
    ) throws(Errno) -> UnsafeMutableRawPointer {
        guard let block = mmap(nil, count, protection, flags, descriptor.rawValue, 0), block != MAP_FAILED else {
            throw Errno(rawValue: errno)
        }
        return block
    }
}

/// The unchanging bytes of a sealed memory.
final class MappedBytes: Sendable {
    // Nobody writes to a sealed memory, so every thread may read it.
    private nonisolated(unsafe) let buffer: UnsafeRawBufferPointer

    /// Maps `count` bytes of `descriptor` for reading. The descriptor may be closed afterwards.
    init(_ descriptor: FileDescriptor, count: Int) throws(Errno) {
        // Linux before 6.7 takes every shared mapping of sealed memory for an attempt to write.
        let base = count > 0 ? try SharedMemory.map(descriptor, count, PROT_READ, MAP_PRIVATE) : nil
        buffer = UnsafeRawBufferPointer(start: base, count: count)
    }

    deinit {
        if let base = buffer.baseAddress { munmap(UnsafeMutableRawPointer(mutating: base), buffer.count) }
    }

    func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(buffer)
    }
}
