import Foundation

/// xoshiro256++ of Blackman and Vigna, its state filled by SplitMix64: the same seed gives the same noise in every run.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: (UInt64, UInt64, UInt64, UInt64)

    public init(seed: UInt64) {
        var counter = seed
        func split() -> UInt64 {
            counter &+= 0x9E37_79B9_7F4A_7C15
            var mixed = counter
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
        state = (split(), split(), split(), split())
    }

    public mutating func next() -> UInt64 {
        func rotated(_ value: UInt64, _ count: UInt64) -> UInt64 { (value << count) | (value >> (64 - count)) }
        let result = rotated(state.0 &+ state.3, 23) &+ state.0
        let shifted = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= shifted
        state.3 = rotated(state.3, 45)
        return result
    }

    /// Uniform in a range, from 24 random bits.
    public mutating func uniform(_ range: ClosedRange<Float> = 0...1) -> Float {
        let unit = Float(next() >> 40) / Float(1 << 24)
        return range.lowerBound + unit * (range.upperBound - range.lowerBound)
    }

    /// True with the given probability.
    public mutating func chance(_ probability: Float) -> Bool { uniform() < probability }

    /// One value of a normal distribution with mean 0 and deviation 1.
    public mutating func normal() -> Float { normals(2)[0] }

    /// `count` independent values of a normal distribution with mean 0 and deviation 1 (Box and Muller).
    public mutating func normals(_ count: Int) -> [Float] {
        var values = [Float](repeating: 0, count: count)
        var index = 0
        while index < count {
            let bits = next()
            // (0, 1], so that the logarithm is finite.
            let radius = (-2 * log((Float(bits >> 40) + 1) / Float(1 << 24))).squareRoot()
            let angle = Float(bits & 0xFF_FFFF) / Float(1 << 24) * 2 * .pi
            values[index] = radius * cos(angle)
            if index + 1 < count { values[index + 1] = radius * sin(angle) }
            index += 2
        }
        return values
    }
}
