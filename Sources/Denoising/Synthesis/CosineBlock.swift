import Foundation

/// 8×8 samples, a vector for each row, and their orthonormal cosine transform.
struct CosineBlock {
    static let side = 8
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
    static func * (left: borrowing CosineBlock, right: borrowing CosineBlock) -> CosineBlock {
        let (left, right) = (left.rows.span, right.rows.span)
        var result = CosineBlock()
        for row in 0..<side {
            let factors = left[row]
            var sum = factors[0] * right[0]
            for inner in 1..<side { sum += factors[inner] * right[inner] }
            result.rows[row] = sum
        }
        return result
    }

    /// The block of a plane that begins at an index.
    init(_ samples: UnsafeBufferPointer<Float>, at start: Int, width: Int) {
        rows = .init { Self.row(of: samples, at: start + $0 * width) }
    }

    private static func row(of samples: UnsafeBufferPointer<Float>, at start: Int) -> SIMD8<Float> {
        UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(samples)[4 * start..<4 * (start + side)])
            .loadUnaligned(as: SIMD8<Float>.self)
    }

    /// Sum of squared differences from a block of a plane.
    func difference(from samples: UnsafeBufferPointer<Float>, at start: Int, width: Int) -> Float {
        let own = rows.span
        var sum = SIMD8<Float>.zero
        for row in 0..<Self.side {
            let difference = own[row] - Self.row(of: samples, at: start + row * width)
            sum += difference * difference
        }
        return sum.sum()
    }

    /// Its cosine coefficients.
    var transformed: CosineBlock { Self.cosines * self * Self.transposedCosines }

    /// The block of which this holds the cosine coefficients.
    var restored: CosineBlock { Self.transposedCosines * self * Self.cosines }

    /// Rounds every cosine coefficient to a multiple of its step.
    mutating func round(to steps: CosineBlock) {
        var coefficients = transformed
        for row in 0..<8 {
            let step = steps.rows[row]
            coefficients.rows[row] = (coefficients.rows[row] / step).rounded(.toNearestOrEven) * step
        }
        self = coefficients.restored
    }
}
