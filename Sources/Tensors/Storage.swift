#if canImport(Glibc)
    import Glibc
#endif
import Synchronization

/// A block of floats, aligned to 64 bytes, returned to the pool when its last owner goes.
///
/// `@unchecked Sendable`: no lock is needed, since floats are written only while the block has one owner
/// (`Tensor` checks unique reference before each mutation) and are constant once shared.
///
/// The pointer does not keep the block: whoever uses it extends the storage's lifetime past the last use.
final class Storage: @unchecked Sendable {
    let pointer: UnsafeMutablePointer<Float>
    /// The floats in other forms, which operations made and may want again; gone with the next mutation.
    let derived = Mutex<[String: Tensor]>([:])
    private let block: StoragePool.Block

    init(count: Int) {
        block = StoragePool.shared.take(bytes: max(count, 1) * MemoryLayout<Float>.stride)
        pointer = block.address.assumingMemoryBound(to: Float.self)
    }

    deinit { StoragePool.shared.give(block) }
}

/// Keeps freed blocks for the next operation: fresh memory from the kernel costs more than most operations.
package final class StoragePool: Sendable {
    static let shared = StoragePool()

    /// `@unchecked Sendable`: an address that exactly one owner holds at a time.
    struct Block: @unchecked Sendable {
        let address: UnsafeMutableRawPointer
        let bytes: Int
    }

    private let free = Mutex<[Int: [Block]]>([:])

    func take(bytes: Int) -> Block {
        let size = Self.sizeClass(bytes)
        if let block = free.withLock({ $0[size]?.popLast() }) { return block }
        let alignment = size >= 4 << 20 ? 2 << 20 : 64
        guard let address = Self.allocate(size, alignment) ?? retry(size, alignment) else { Self.end(without: size) }
        if alignment > 64 { madvise(address, size, 14 /* MADV_HUGEPAGE */) }
        return Block(address: address, bytes: size)
    }

    /// Blocks of other sizes that nobody uses may be what is in the way.
    private func retry(_ size: Int, _ alignment: Int) -> UnsafeMutableRawPointer? {
        trim()
        return Self.allocate(size, alignment)
    }

    private static func allocate(_ size: Int, _ alignment: Int) -> UnsafeMutableRawPointer? {
        var address: UnsafeMutableRawPointer?
        return posix_memalign(&address, alignment, size) == 0 ? address : nil
    }

    /// Whoever plans work asks before whether there is memory for it, so that this is rare. No operation could go on,
    /// and a trace would say less than one line.
    private static func end(without bytes: Int) -> Never {
        // Other threads soon get here as well.
        while isEnding.exchange(true, ordering: .relaxed) { pause() }
        let line = """
            denoised: out of memory: the system refused \((bytes >> 20) + 1) MiB; raise the limit (MemoryMax=, LimitAS=, \
            ulimit -v), or use fewer threads or a smaller tile

            """
        _ = line.utf8.withContiguousStorageIfAvailable { write(STDERR_FILENO, $0.baseAddress, $0.count) }
        fflush(nil)
        _exit(1)
    }

    private static let isEnding = Atomic<Bool>(false)

    func give(_ block: Block) {
        free.withLock { $0[block.bytes, default: []].append(block) }
    }

    /// Frees every block that no tensor owns, as between two photographs.
    func trim() {
        let blocks = free.withLock { kept in
            defer { kept = [:] }
            return kept.values.flatMap { $0 }
        }
        for block in blocks { Glibc.free(block.address) }
    }

    /// Sizes in steps of an eighth of a power of two, so that blocks are reused although shapes vary.
    package static func sizeClass(_ bytes: Int) -> Int {
        let step = max(64, (1 << (Int.bitWidth - 1 - bytes.leadingZeroBitCount)) / 8)
        return (bytes + step - 1) / step * step
    }
}

/// Returns the memory of past tensors to the operating system.
public func trimTensorMemory() {
    StoragePool.shared.trim()
}
