import Foundation

/// The discrete Fourier transform of square images whose side is a power of two (Cooley and Tukey, in place).
struct FourierTransform: Sendable {
    let side: Int
    private let cosines: [Float]
    private let sines: [Float]

    /// - Precondition: `side` is a power of two.
    init(side: Int) {
        precondition(side > 0 && side & (side - 1) == 0, "the side is a power of two")
        self.side = side
        cosines = (0..<side / 2).map { Float(cos(2 * Double.pi * Double($0) / Double(side))) }
        sines = (0..<side / 2).map { Float(sin(2 * Double.pi * Double($0) / Double(side))) }
    }

    /// Σ image·exp(−2πi(uy + vx)/side) over both axes, not scaled; the same sum read with the opposite sign of the
    /// imaginary part is the inverse, times side².
    ///
    /// - Parameters: real and imaginary parts, side · side, row by row.
    func transform(_ real: inout [Float], _ imaginary: inout [Float]) {
        for _ in 0..<2 {
            for row in 0..<side { transformLine(&real, &imaginary, row * side) }
            Self.transpose(&real, side)
            Self.transpose(&imaginary, side)
        }
    }

    private func transformLine(_ real: inout [Float], _ imaginary: inout [Float], _ start: Int) {
        real.withUnsafeMutableBufferPointer { a in
            imaginary.withUnsafeMutableBufferPointer { b in
                reverseBits(a, b, start)
                var half = 1
                while half < side {
                    let step = side / (2 * half)
                    for group in Swift.stride(from: start, to: start + side, by: 2 * half) {
                        for k in 0..<half {
                            let (c, s) = (cosines[k * step], -sines[k * step])
                            let (p, q) = (group + k, group + k + half)
                            let (x, y) = (a[q] * c - b[q] * s, a[q] * s + b[q] * c)
                            (a[q], b[q]) = (a[p] - x, b[p] - y)
                            (a[p], b[p]) = (a[p] + x, b[p] + y)
                        }
                    }
                    half *= 2
                }
            }
        }
    }

    private func reverseBits(
        _ a: UnsafeMutableBufferPointer<Float>, _ b: UnsafeMutableBufferPointer<Float>, _ start: Int
    ) {
        var reversed = 0
        for index in 0..<side {
            if index < reversed {
                a.swapAt(start + index, start + reversed)
                b.swapAt(start + index, start + reversed)
            }
            var bit = side >> 1
            while bit > 0, reversed & bit != 0 {
                reversed ^= bit
                bit >>= 1
            }
            reversed |= bit
        }
    }

    private static func transpose(_ values: inout [Float], _ side: Int) {
        for row in 0..<side {
            for column in row + 1..<max(side, row + 1) { values.swapAt(row * side + column, column * side + row) }
        }
    }
}
