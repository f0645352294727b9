import CKernels
import Synchronization

/// A dense array of 32-bit floats, row-major, a value: copies share storage until one of them is mutated.
///
/// Activations have the shape [channels, batch, height, width] (channel-major), so that a 1×1 convolution of a whole
/// batch of small sub-images is one matrix product. Parameters keep PyTorch's shapes.
public struct Tensor: Sendable {
    public let shape: [Int]
    private var storage: Storage

    /// Number of elements.
    public let count: Int

    /// A tensor whose elements `fill` writes, every one of them.
    public init(_ shape: [Int], fill: (UnsafeMutablePointer<Float>) throws -> Void) rethrows {
        self.shape = shape
        count = shape.reduce(1, *)
        storage = Storage(count: count)
        try fill(storage.pointer)
    }

    /// A tensor of one value.
    public init(_ shape: [Int], repeating value: Float = 0) {
        let count = shape.reduce(1, *)
        self.init(shape) { $0.update(repeating: value, count: count) }
    }

    /// - Precondition: as many values as the shape has elements.
    public init(_ shape: [Int], _ values: [Float]) {
        precondition(values.count == shape.reduce(1, *), "\(values.count) values for shape \(shape)")
        self.init(shape) { pointer in
            values.withUnsafeBufferPointer { source in
                guard let base = source.baseAddress else { return }
                pointer.update(from: base, count: values.count)
            }
        }
    }

    /// The elements in row-major order.
    public var values: [Float] { Array(UnsafeBufferPointer(start: storage.pointer, count: count)) }

    /// Read access; the pointer is valid inside `body` only.
    @inline(__always)
    public func withPointer<Result>(_ body: (UnsafePointer<Float>) throws -> Result) rethrows -> Result {
        defer { withExtendedLifetime(storage) {} }
        return try body(UnsafePointer(storage.pointer))
    }

    /// Write access; storage shared with another tensor is copied first.
    public mutating func withMutablePointer<Result>(
        _ body: (UnsafeMutablePointer<Float>) throws -> Result
    ) rethrows -> Result {
        if !isKnownUniquelyReferenced(&storage) {
            let copy = Storage(count: count)
            copy.pointer.update(from: storage.pointer, count: count)
            storage = copy
        }
        storage.derived.withLock { $0 = [:] }
        return try body(storage.pointer)
    }

    /// This tensor in the named form: made once and kept until the tensor is mutated or gone. Only for weights, whose
    /// forms are as small as they are.
    func derived(_ form: String, _ make: () -> Tensor) -> Tensor {
        if let kept = storage.derived.withLock({ $0[form] }) { return kept }
        let tensor = make()
        storage.derived.withLock { $0[form] = tensor }
        return tensor
    }

    /// The same elements under another shape of equal count.
    public func reshaped(_ shape: [Int]) -> Tensor {
        Tensor(sharing: self, shape: shape)
    }

    private init(sharing other: Tensor, shape: [Int]) {
        precondition(shape.reduce(1, *) == other.count, "cannot view shape \(other.shape) as \(shape)")
        self.shape = shape
        count = other.count
        storage = other.storage
    }
}

/// The dimensions of an activation [channels, batch, height, width].
extension Tensor {
    public var channels: Int { shape[0] }
    public var batch: Int { shape[1] }
    public var height: Int { shape[2] }
    public var width: Int { shape[3] }
    /// Positions of one channel, over all images: the distance between two channels.
    public var pixels: Int { shape[1] * shape[2] * shape[3] }

    /// Whether every element is finite.
    public var isFinite: Bool {
        withPointer { pointer in
            // What is not finite stays so in a sum; a sum may also overflow. x·0 is 0 for finite x and NaN otherwise.
            if kernels.sum(pointer, count).isFinite { return true }
            var sum: Float = 0
            for index in 0..<count { sum += pointer[index] * 0 }
            return sum == 0
        }
    }

    /// [channels, batch, height, width] from PyTorch's [batch, channels, height, width].
    public init(batchMajor values: [Float], shape: [Int]) {
        self = Tensor(shape, values).swappingChannelsAndBatch()
    }

    /// Exchanges the first two dimensions.
    public func swappingChannelsAndBatch() -> Tensor {
        let (first, second, plane) = (shape[0], shape[1], shape[2] * shape[3])
        return Tensor([second, first, shape[2], shape[3]]) { target in
            withPointer { source in
                for i in 0..<first {
                    for j in 0..<second {
                        (target + (j * first + i) * plane).update(from: source + (i * second + j) * plane, count: plane)
                    }
                }
            }
        }
    }
}

extension Tensor {
    /// The given rows of a tensor [rows, …], one range behind the other.
    func rows(_ ranges: [Range<Int>]) -> Tensor {
        if ranges == [0..<shape[0]] { return self }
        let length = count / shape[0]
        return Tensor([ranges.reduce(0) { $0 + $1.count }] + shape[1...]) { target in
            withPointer { source in
                var target = target
                for range in ranges {
                    target.update(from: source + range.lowerBound * length, count: range.count * length)
                    target += range.count * length
                }
            }
        }
    }
}

/// Read access to a tensor that may be missing.
func withOptionalPointer<Result>(_ tensor: Tensor?, _ body: (UnsafePointer<Float>?) throws -> Result) rethrows -> Result
{
    guard let tensor else { return try body(nil) }
    return try tensor.withPointer { try body($0) }
}
