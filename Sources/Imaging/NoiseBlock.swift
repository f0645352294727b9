/// A square of a weighted sum of channels from which its best-fitting plane was subtracted.
struct NoiseBlock {
    private let samples: [Float]
    /// More than one sample in 64 is black, white or not a number.
    let isClipped: Bool

    /// - Returns: nil if the block does not lie in the image.
    init?(of image: PlanarImage, weights: [Float], row: Int, column: Int) {
        let side = NoiseMeasurement.side
        guard row + side <= image.height, column + side <= image.width else { return nil }
        var samples = [Float](repeating: 0, count: side * side)
        var clipped = 0
        for (channel, weight) in weights.enumerated() where weight != 0 {
            for y in 0..<side {
                let start = (channel * image.height + row + y) * image.width + column
                for x in 0..<side {
                    let value = image.samples[start + x]
                    if !(value > 1.5 / 255 && value < 253.5 / 255) { clipped += 1 }
                    samples[y * side + x] += weight * value
                }
            }
        }
        self.samples = Self.levelled(samples, side)
        isClipped = clipped * 64 > side * side
    }

    /// Subtracts the plane a + b·x + c·y of least squares.
    private static func levelled(_ samples: [Float], _ side: Int) -> [Float] {
        let middle = Float(side - 1) / 2
        var (mean, across, down): (Float, Float, Float) = (0, 0, 0)
        for y in 0..<side {
            for x in 0..<side {
                let value = samples[y * side + x]
                mean += value
                across += value * (Float(x) - middle)
                down += value * (Float(y) - middle)
            }
        }
        let count = Float(side * side)
        // Σ(x − middle)² over the block.
        let moment = count * (Float(side * side) - 1) / 12
        var result = samples
        for y in 0..<side {
            for x in 0..<side {
                result[y * side + x] -=
                    mean / count + across / moment * (Float(x) - middle) + down / moment * (Float(y) - middle)
            }
        }
        return result
    }

    /// Third and fourth standardised moments: 0 and 3 of normal noise. Nil where there is none at all.
    var shape: (skewness: Double, kurtosis: Double)? {
        var (second, third, fourth) = (0.0, 0.0, 0.0)
        for sample in samples {
            let value = Double(sample)
            second += value * value
            third += value * value * value
            fourth += value * value * value * value
        }
        let count = Double(samples.count)
        let variance = second / count
        guard variance > 1e-12 else { return nil }
        return (third / count / (variance * variance.squareRoot()), fourth / count / (variance * variance))
    }

    /// Mean square of the means of 8×8 samples: large where there are edges or soft texture.
    var unevenness: Double {
        let (side, cell) = (NoiseMeasurement.side, 8)
        var sum: Float = 0
        for top in stride(from: 0, to: side, by: cell) {
            for left in stride(from: 0, to: side, by: cell) {
                var mean: Float = 0
                for y in top..<top + cell {
                    for x in left..<left + cell { mean += samples[y * side + x] }
                }
                sum += mean * mean
            }
        }
        return Double(sum)
    }

    /// Mean product of samples that many rows and columns apart.
    func covariance(down: Int, across: Int) -> Double {
        let side = NoiseMeasurement.side
        var sum: Float = 0
        for y in 0..<side - down {
            for x in 0..<side - across {
                sum += samples[y * side + x] * samples[(y + down) * side + x + across]
            }
        }
        return Double(sum) / Double((side - down) * (side - across))
    }

    /// Mean square of second differences x[i − d] − 2x[i] + x[i + d], and mean product of those that lie d apart.
    ///
    /// - Parameter direction: distance of neighbouring samples: 1 along rows, the side along columns.
    func curvature(distance: Int, direction: Int) -> (square: Double, product: Double) {
        let side = NoiseMeasurement.side
        let (line, step) = (side + 1 - direction, distance * direction)
        func second(_ p: Int) -> Float { samples[p - step] - 2 * samples[p] + samples[p + step] }
        var (square, product): (Float, Float) = (0, 0)
        for start in 0..<side {
            for place in distance..<side - distance {
                let p = start * line + place * direction
                let here = second(p)
                square += here * here
                if place + distance < side - distance { product += here * second(p + step) }
            }
        }
        let count = (all: side * (side - 2 * distance), pairs: side * (side - 3 * distance))
        return (Double(square) / Double(count.all), Double(product) / Double(count.pairs))
    }
}
