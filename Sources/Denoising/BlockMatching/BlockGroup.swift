/// Similar blocks of a plane, as the spectrum of the stack that they make: cosines in each block, Walsh and Hadamard's
/// functions across them.
struct BlockGroup {
    /// Where a block begins.
    struct Place: Equatable {
        let row: Int
        let column: Int
    }

    /// A power of two.
    private(set) var spectrum: [CosineBlock]

    /// - Parameter places: a power of two of them.
    init(_ places: [Place], in plane: Plane) {
        spectrum = plane.samples.withUnsafeBufferPointer { samples in
            places.map { CosineBlock(samples, at: $0.row * plane.width + $0.column, width: plane.width).transformed }
        }
        hadamard()
    }

    /// Removes coefficients whose square is below a limit, but the mean of all.
    ///
    /// - Returns: the variance of noise in what is left, of `variance` in each coefficient.
    mutating func cut(below limit: Float, variance: Float) -> Float {
        let mean = spectrum[0].rows[0][0]
        var kept: Int32 = 0
        for block in spectrum.indices {
            for row in 0..<CosineBlock.side {
                let values = spectrum[block].rows[row]
                let isSmall = values * values .< limit
                spectrum[block].rows[row].replace(with: 0, where: isSmall)
                kept += SIMD8<Int32>(repeating: 1).replacing(with: 0, where: isSmall).wrappedSum()
            }
        }
        if mean * mean < limit {
            spectrum[0].rows[0][0] = mean
            kept += 1
        }
        return Float(kept) * variance
    }

    /// Multiplies each coefficient with t²/(t² + variance), t being that of `truth`.
    ///
    /// - Returns: the variance of noise in what is left, of `variance` in each coefficient.
    mutating func weigh(by truth: BlockGroup, variance: Float) -> Float {
        var kept = SIMD8<Float>.zero
        for block in spectrum.indices {
            for row in 0..<CosineBlock.side {
                let power = truth.spectrum[block].rows[row] * truth.spectrum[block].rows[row]
                let weight = power / (power + variance)
                spectrum[block].rows[row] *= weight
                kept += weight * weight
            }
        }
        return kept.sum() * variance
    }

    /// The blocks that this is the spectrum of.
    consuming func blocks() -> [CosineBlock] {
        hadamard()
        for block in spectrum.indices { spectrum[block] = spectrum[block].restored }
        return spectrum
    }

    /// Its own inverse.
    private mutating func hadamard() {
        var half = 1
        while half < spectrum.count {
            for start in stride(from: 0, to: spectrum.count, by: 2 * half) {
                for first in start..<start + half {
                    for row in 0..<CosineBlock.side {
                        let (a, b) = (spectrum[first].rows[row], spectrum[first + half].rows[row])
                        spectrum[first].rows[row] = a + b
                        spectrum[first + half].rows[row] = a - b
                    }
                }
            }
            half *= 2
        }
        let scale = 1 / Float(spectrum.count).squareRoot()
        for block in spectrum.indices {
            for row in 0..<CosineBlock.side { spectrum[block].rows[row] *= scale }
        }
    }
}

