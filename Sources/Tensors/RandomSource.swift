import CKernels

#if canImport(Glibc)
    import Glibc
#endif

/// A small seeded generator (SplitMix64, Steele, Lea and Flood 2014): the same seed gives the same numbers everywhere.
public struct RandomSource: RandomNumberGenerator, Sendable, Equatable {
    /// The whole state; storing and restoring it resumes the sequence.
    public var state: UInt64

    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Uniform in [0, 1).
    public mutating func uniform() -> Float { Float(next() >> 40) * 0x1p-24 }

    /// Uniform in 0..<bound.
    public mutating func index(below bound: Int) -> Int { Int(next() % UInt64(bound)) }

    /// Standard normal (Box and Muller).
    public mutating func normal() -> Float {
        let radius = (-2 * logf(1 - uniform())).squareRoot()
        return radius * cosf(2 * .pi * uniform())
    }

    /// A new seed that depends on this one and on `salt`, for independent streams.
    public static func mix(_ seed: UInt64, _ salt: UInt64) -> UInt64 {
        var source = RandomSource(seed: seed ^ (salt &* 0xD1B5_4A32_D192_ED03))
        return source.next()
    }
}

/// Zeros and ones as a function of position alone (spec A.11, decision 16): the value at (row, column) of the field
/// named by `key` never depends on which tile asks for it or when.
public struct RandomField: Sendable {
    public let key: UInt64
    /// Probability of a one.
    public let probability: Double

    public init(key: UInt64, probability: Double) {
        self.key = key
        self.probability = probability
    }

    /// The field's window as a tensor [1, 1, rows, columns].
    public func window(rows: Range<Int>, columns: Range<Int>) -> Tensor {
        let threshold = UInt32(min(probability * 0x1p32, 0x1p32 - 1))
        return Tensor([1, 1, rows.count, columns.count]) { target in
            for (index, row) in rows.enumerated() {
                kernels.random_mask(
                    key, UInt32(row), UInt32(columns.lowerBound), columns.count, threshold,
                    target + index * columns.count)
            }
        }
    }
}
