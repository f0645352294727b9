import Imaging
import Tensors

/// What a network makes of a noisy photograph, in texture halfway to what block matching makes of it.
///
/// A network believes in the noise and the pictures that it was taught; block matching knows neither and finds a
/// picture's own repetitions (`blockMatched`). They err in different places, so that where there is texture, which is where
/// both err most, the mean of both is nearer to the truth than either. On flat areas the network knows best.
///
/// Luma is matched as it is; what red and blue differ from it, at half size, since cameras' noise of colour is coarse.
struct SecondOpinion: Sendable {
    /// How many times the noise that the network took away block matching is told: as many as smoothing made the noise of
    /// flat areas stronger at low frequencies, since a camera that smoothed it there left more of it in texture; but no more
    /// than 1.5, and where noise is so weak that there is more detail than noise to take, 1.
    let caution: Float
    /// Deviations of luma's noise, in units of 1/255, up to which it is weak, and from which it is not.
    private static let weak: ClosedRange<Double> = 0.75...1.75

    /// Share of block matching in full texture.
    private static let share: Float = 0.5
    /// Slopes of luma from one pixel to the next that make half of a texture: one level of 8 bits.
    private static let slope: Float = 1.0 / 255
    /// Noise of colour at half size beside luma's: a sensor's red and blue have half of green's sites and larger gains.
    private static let colour: Float = 1.5
    /// The noise that was taken away is measured in windows that reach so many cells of 4×4 pixels to each side.
    private static let radius = 16
    /// Smaller images hold too few blocks.
    private static let smallest = 16

    /// - Parameter noise: of the whole photograph.
    init(noise: NoiseAssessment) {
        guard let luma = noise.measurement?.luma else {
            caution = 1
            return
        }
        let strength = min(max(luma.deviation, Self.weak.lowerBound), Self.weak.upperBound) - Self.weak.lowerBound
        caution = Float(min(luma.smoothness, 1 + 0.5 * strength))
    }

    /// - Parameters:
    ///   - estimate: one or three channels in [0, 1], what a network made of it.
    ///   - noisy: of the same size.
    /// - Returns: the same at any number of threads.
    func joined(_ estimate: PlanarImage, noisy: PlanarImage, threads: Int) throws -> PlanarImage {
        guard min(estimate.width, estimate.height) >= Self.smallest else { return estimate }
        let (ours, seen) = (estimate.components, noisy.components)
        let power = Self.power(of: seen[0], without: ours[0])
        var changes = [
            try seen[0].matched(deviations(power, for: seen[0], cell: 4, caution), threads).difference(from: ours[0])
        ]
        for (ours, seen) in zip(ours, seen).dropFirst() {
            let (ours, seen) = (ours.halved, seen.halved)
            let matched = try seen.matched(deviations(power, for: seen, cell: 8, Self.colour * caution), threads)
            changes.append(
                matched.difference(from: ours).enlarged(width: estimate.width, height: estimate.height, step: 0.5))
        }
        let texture = ours[0].texture(above: Self.slope * Self.slope).samples
        var joined = ours
        for channel in joined.indices {
            for p in texture.indices {
                joined[channel].samples[p] += Self.share * texture[p] * changes[channel].samples[p]
            }
        }
        return PlanarImage(components: joined)
    }

    /// Mean power of what was removed at low frequencies, which hardly any of the removed detail has: of the means of
    /// cells of 4×4 pixels, in windows around each cell.
    private static func power(of noisy: Plane, without estimate: Plane) -> Plane {
        var means = noisy.difference(from: estimate).halved.halved
        let squares = Tensor([1, 1, means.height, means.width], means.samples.map { $0 * $0 })
        means.samples = boxMean(squares, radius: radius).values
        return means
    }

    /// Deviations of the white noise that has `factor`² times this power, for each four rows and columns of a plane.
    ///
    /// - Parameter cell: side of 4×4 of the plane's samples in the photograph's pixels.
    private func deviations(_ power: Plane, for plane: Plane, cell: Int, _ factor: Float) -> Tensor {
        let (height, width) = ((plane.height + 3) / 4, (plane.width + 3) / 4)
        return Tensor([1, 1, height, width]) { result in
            for row in 0..<height {
                for column in 0..<width {
                    let (y, x) = (min(row * cell / 4, power.height - 1), min(column * cell / 4, power.width - 1))
                    // Rounding of windowed sums may leave less than nothing.
                    result[row * width + column] = factor * 4 * max(power.samples[y * power.width + x], 0).squareRoot()
                }
            }
        }
    }
}

extension PlanarImage {
    /// Of red, green and blue: luma, red − luma and blue − luma; of grey itself.
    fileprivate var components: [Plane] {
        let luma = Plane(width: width, height: height, samples: luma)
        guard channels == 3 else { return [luma] }
        let count = width * height
        return [luma]
            + [0, 2].map { channel in
                var difference = luma
                for p in 0..<count { difference.samples[p] = samples[channel * count + p] - luma.samples[p] }
                return difference
            }
    }

    /// The inverse of `components`, in [0, 1].
    fileprivate init(components: [Plane]) {
        let (luma, count) = (components[0], components[0].samples.count)
        self.init(width: luma.width, height: luma.height, channels: components.count)
        for p in 0..<count {
            let value = luma.samples[p]
            guard components.count == 3 else {
                samples[p] = min(max(value, 0), 1)
                continue
            }
            let (red, blue) = (components[1].samples[p], components[2].samples[p])
            samples[p] = min(max(value + red, 0), 1)
            samples[count + p] = min(max(value - (0.299 * red + 0.114 * blue) / 0.587, 0), 1)
            samples[2 * count + p] = min(max(value + blue, 0), 1)
        }
    }
}

extension Plane {
    fileprivate func matched(_ deviations: Tensor, _ threads: Int) throws -> Plane {
        let noisy = Tensor([1, 1, height, width], samples)
        return Plane(
            width: width, height: height,
            samples: try blockMatched(noisy, deviations: deviations, threads: threads).values)
    }

    fileprivate func difference(from other: Plane) -> Plane {
        var result = self
        for p in result.samples.indices { result.samples[p] -= other.samples[p] }
        return result
    }

    /// Means of 2×2; an odd row or column at the end is left out.
    fileprivate var halved: Plane {
        let half = PlanarImage(width: width, height: height, channels: 1, samples: samples).halved
        return Plane(width: half.width, height: half.height, samples: half.samples)
    }
}
