/// A record of elements in the archive.
struct TorchStorage: Sendable, Hashable {
    /// The record's name below `data/`.
    let key: String
    /// nil for bytes without a type.
    let type: ElementType?
    /// Number of elements.
    let count: Int
}

/// Elements of a storage by offset, shape and strides, in elements.
struct TensorView: Sendable, Hashable {
    let storage: TorchStorage
    let type: ElementType
    let offset: Int
    let shape: [Int]
    let strides: [Int]
    /// Number of elements.
    let count: Int

    private static let maximalRank = 16

    /// - Throws: `CheckpointError.archive` where an element would lie outside of the storage, or where the tensor has
    ///   more elements than its storage.
    init(_ storage: TorchStorage, offset: Int, shape: [Int], strides: [Int]) throws(CheckpointError) {
        guard let type = storage.type else { throw .archive("a tensor of bytes without a type") }
        guard shape.count == strides.count, shape.count <= Self.maximalRank, offset >= 0,
            (shape + strides).allSatisfy({ $0 >= 0 })
        else { throw .archive("a tensor of shape \(shape) with strides \(strides) from \(offset)") }
        guard let count = Self.product(shape), count <= storage.count,
            count == 0 || Self.last(shape, strides, from: offset).map({ $0 < storage.count }) == true
        else { throw .archive("a tensor of shape \(shape) reaches beyond its storage of \(storage.count) elements") }
        self.storage = storage
        self.type = type
        self.offset = offset
        self.shape = shape
        self.strides = strides
        self.count = count
    }

    /// Whether the elements lie one behind the other, as in a tensor of ours.
    var isContiguous: Bool {
        var expected = 1
        for (size, stride) in zip(shape, strides).reversed() where size != 1 {
            if stride != expected { return false }
            expected *= size
        }
        return true
    }

    private static func product(_ shape: [Int]) -> Int? {
        // A zero makes every product zero, whatever would overflow beside it.
        if shape.contains(0) { return 0 }
        return shape.reduce(1 as Int?) { product, size in
            guard let (value, overflow) = product?.multipliedReportingOverflow(by: size), !overflow else { return nil }
            return value
        }
    }

    /// The largest index of an element; nil if it does not fit.
    private static func last(_ shape: [Int], _ strides: [Int], from offset: Int) -> Int? {
        zip(shape, strides).reduce(offset as Int?) { last, dimension in
            let (steps, overflow) = (dimension.0 - 1).multipliedReportingOverflow(by: dimension.1)
            guard let (sum, carry) = last?.addingReportingOverflow(steps), !overflow, !carry else { return nil }
            return sum
        }
    }
}
