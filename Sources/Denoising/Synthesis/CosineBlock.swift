import Foundation

/// 8×8 samples, a vector for each row, and their orthonormal cosine transform.
struct CosineBlock {
    var rows: InlineArray<8, SIMD8<Float>>

    init() { rows = .init(repeating: .zero) }

    /// - Precondition: 64 values, row by row.
    init(_ values: [Float]) {
        rows = .init { SIMD8(values[8 * $0..<8 * $0 + 8]) }
    }

    /// Row k of the transform: c(k)·cos((2n + 1)kπ/16).
    private static let cosines = CosineBlock(
        (0..<64).map { index in
            let (k, n) = (Float(index / 8), Float(index % 8))
            return (k == 0 ? Float(0.125).squareRoot() : 0.5) * cos((2 * n + 1) * k * .pi / 16)
        })
    private static let transposedCosines = cosines.transposed

    private var transposed: CosineBlock {
        var result = CosineBlock()
        for row in 0..<8 {
            for column in 0..<8 { result.rows[column][row] = rows[row][column] }
        }
        return result
    }

    /// Matrix product.
    static func * (left: CosineBlock, right: CosineBlock) -> CosineBlock {
        var result = CosineBlock()
        for row in 0..<8 {
            var sum = SIMD8<Float>.zero
            for inner in 0..<8 { sum += left.rows[row][inner] * right.rows[inner] }
            result.rows[row] = sum
        }
        return result
    }

    /// Rounds every cosine coefficient to a multiple of its step.
    mutating func round(to steps: CosineBlock) {
        let (forward, backward) = (Self.cosines, Self.transposedCosines)
        var coefficients = forward * self * backward
        for row in 0..<8 {
            let step = steps.rows[row]
            coefficients.rows[row] = (coefficients.rows[row] / step).rounded(.toNearestOrEven) * step
        }
        self = backward * coefficients * forward
    }
}
