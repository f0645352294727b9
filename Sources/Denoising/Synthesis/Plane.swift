import Foundation

/// One channel of float samples, row by row, with the linear filters of a camera's processing.
/// Outside the plane samples are mirrored about the outermost ones, which keeps the phase of a Bayer pattern.
struct Plane: Sendable {
    let width: Int
    let height: Int
    var samples: [Float]

    init(width: Int, height: Int, samples: [Float]) {
        self.width = width
        self.height = height
        self.samples = samples
    }

    init(width: Int, height: Int, repeating value: Float = 0) {
        self.init(width: width, height: height, samples: [Float](repeating: value, count: width * height))
    }

    /// Index mirrored into 0..<count.
    static func mirrored(_ index: Int, _ count: Int) -> Int {
        guard count > 1 else { return 0 }
        let period = 2 * (count - 1)
        let wrapped = ((index % period) + period) % period
        return min(wrapped, period - wrapped)
    }

    /// Separable symmetric filter: `taps[0]` is the centre, `taps[k]` weighs the samples k·`dilation` away.
    func filtered(_ taps: [Float], dilation: Int = 1) -> Plane {
        filteredAcross(taps, dilation: dilation).filteredDown(taps, dilation: dilation)
    }

    private func filteredAcross(_ taps: [Float], dilation: Int) -> Plane {
        let reach = (taps.count - 1) * dilation
        var result = self
        var padded = [Float](repeating: 0, count: width + 2 * reach)
        let left = (0..<reach).map { Self.mirrored($0 - reach, width) }
        let right = (0..<reach).map { Self.mirrored(width + $0, width) }
        for row in 0..<height {
            let start = row * width
            for index in 0..<reach {
                padded[index] = samples[start + left[index]]
                padded[reach + width + index] = samples[start + right[index]]
            }
            for column in 0..<width { padded[reach + column] = samples[start + column] }
            for column in 0..<width {
                var sum = taps[0] * padded[reach + column]
                for tap in 1..<taps.count {
                    let offset = tap * dilation
                    sum += taps[tap] * (padded[reach + column - offset] + padded[reach + column + offset])
                }
                result.samples[start + column] = sum
            }
        }
        return result
    }

    private func filteredDown(_ taps: [Float], dilation: Int) -> Plane {
        var result = self
        for row in 0..<height {
            let start = row * width
            for column in 0..<width { result.samples[start + column] *= taps[0] }
            for tap in 1..<taps.count {
                let above = Self.mirrored(row - tap * dilation, height) * width
                let below = Self.mirrored(row + tap * dilation, height) * width
                let weight = taps[tap]
                for column in 0..<width {
                    result.samples[start + column] += weight * (samples[above + column] + samples[below + column])
                }
            }
        }
        return result
    }

    /// Gaussian blur along rows and columns; a deviation below 0.1 changes nothing.
    func blurred(across: Float, down: Float) -> Plane {
        let smooth = across < 0.1 ? self : filteredAcross(Self.bell(across), dilation: 1)
        return down < 0.1 ? smooth : smooth.filteredDown(Self.bell(down), dilation: 1)
    }

    /// One half of a Gaussian whose both halves add up to 1.
    private static func bell(_ deviation: Float) -> [Float] {
        let reach = max(Int((3 * deviation).rounded(.up)), 1)
        let bell = (0...reach).map { exp(-Float($0 * $0) / (2 * deviation * deviation)) }
        let sum = 2 * bell.reduce(0, +) - bell[0]
        return bell.map { $0 / sum }
    }

    /// Splits into detail bands of doubling scale and weighs them: `gains` from the finest band to the remainder.
    /// (À trous transform with the B3 spline: the bands of unit gain add up to the plane.)
    func equalised(gains: [Float]) -> Plane {
        var smooth = self
        var result = Plane(width: width, height: height)
        for (level, gain) in gains.dropLast().enumerated() {
            let smoother = smooth.filtered([0.375, 0.25, 0.0625], dilation: 1 << level)
            for index in result.samples.indices {
                result.samples[index] += gain * (smooth.samples[index] - smoother.samples[index])
            }
            smooth = smoother
        }
        let remainder = gains.last ?? 1
        for index in result.samples.indices { result.samples[index] += remainder * smooth.samples[index] }
        return result
    }

    /// For each sample 0 where the plane is flat, towards 1 where the mean square of its slopes exceeds the threshold.
    func texture(above threshold: Float) -> Plane {
        var activity = self
        for row in 0..<height {
            let below = min(row + 1, height - 1) * width
            for column in 0..<width {
                let index = row * width + column
                let across = samples[row * width + min(column + 1, width - 1)] - samples[index]
                let down = samples[below + column] - samples[index]
                activity.samples[index] = across * across + down * down
            }
        }
        activity = activity.blurred(across: 3, down: 3)
        for index in activity.samples.indices {
            activity.samples[index] /= activity.samples[index] + threshold
        }
        return activity
    }

    /// Enlarges to the given size, `step` source samples per target sample, by cubic convolution (Keys, a = −0.5).
    func enlarged(width newWidth: Int, height newHeight: Int, step: Float) -> Plane {
        func plan(_ count: Int, _ limit: Int) -> [(Int, [Float])] {
            (0..<count).map { index in
                let position = (Float(index) + 0.5) * step - 0.5
                let base = position.rounded(.down)
                let t = position - base
                let weights = [
                    ((-0.5 * t + 1) * t - 0.5) * t, (1.5 * t - 2.5) * t * t + 1, ((-1.5 * t + 2) * t + 0.5) * t,
                    (0.5 * t - 0.5) * t * t,
                ]
                return (Int(base) - 1, weights)
            }
        }
        var across = Plane(width: newWidth, height: height)
        for (column, (first, weights)) in plan(newWidth, width).enumerated() {
            let sources = (0..<4).map { Self.mirrored(first + $0, width) }
            for row in 0..<height {
                across.samples[row * newWidth + column] = (0..<4).reduce(0) {
                    $0 + weights[$1] * samples[row * width + sources[$1]]
                }
            }
        }
        var result = Plane(width: newWidth, height: newHeight)
        for (row, (first, weights)) in plan(newHeight, height).enumerated() {
            for tap in 0..<4 {
                let source = Self.mirrored(first + tap, height) * newWidth
                let weight = weights[tap]
                for column in 0..<newWidth {
                    result.samples[row * newWidth + column] += weight * across.samples[source + column]
                }
            }
        }
        return result
    }
}
