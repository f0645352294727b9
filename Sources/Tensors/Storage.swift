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
        var address: UnsafeMutableRawPointer?
        guard posix_memalign(&address, alignment, size) == 0, let address else {
            preconditionFailure("out of memory: \(size) bytes for a tensor")
        }
        if alignment > 64 { madvise(address, size, 14 /* MADV_HUGEPAGE */) }
        return Block(address: address, bytes: size)
    }

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
