import Foundation
import Imaging

/// The noise of one photograph as its flat areas show it, and fresh noise of the same kind.
///
/// Luma, and what red and blue differ from it, are measured apart, since cameras treat them apart: each has its own
/// strength and its own correlation in every direction up to 15 pixels, red is freed of what luma explains of it, and
/// blue of what both explain. Strength follows brightness.
public struct CaptureNoise: Sendable {
    /// Standard deviation of luma on flat areas, in units of 1.
    public let deviation: Float
    /// One field of each component, `side` · `side`, that continues on the opposite border; then a whiter one of luma.
    private let fields: [[Float]]
    /// What luma explains of red's difference, what luma and red explain of blue's.
    private let shares: (red: Float, blue: (luma: Float, red: Float))
    private let profile: NoiseProfile

    private static let block = 32
    private static let side = 256
    private static let reach = 15
    /// Correlations are believed up to here, and fade out up to `reach`.
    private static let trusted = 8

    /// - Parameter image: three channels in [0, 1].
    /// - Returns: nil where the noise cannot be measured: too small, clipped, or no noise at all.
    public init?(of image: PlanarImage) {
        guard image.channels == 3, let measured = NoiseMeasurement(of: image)?.luma.deviation,
            measured > 0, let profile = NoiseProfile(of: image)
        else { return nil }
        self.profile = profile
        deviation = Float(measured / 255)
        let blocks = NoiseMeasurement.flattest(of: image).map {
            Self.components(of: image, row: $0.row, column: $0.column)
        }
        var components: [[[Float]]] = (0..<3).map { component in blocks.map { $0[component] } }
        let red = Self.share(of: components[1], in: components[0])
        components[1] = Self.difference(components[1], red, components[0])
        let blue = (
            luma: Self.share(of: components[2], in: components[0]),
            red: Self.share(of: components[2], in: components[1])
        )
        components[2] = Self.difference(
            Self.difference(components[2], blue.luma, components[0]), blue.red, components[1])
        shares = (red, blue)
        let found = components.map(Self.covariance)
        let centre = Self.reach * (2 * Self.reach + 1) + Self.reach
        guard found[0][centre] > 0 else { return nil }
        // Choosing quiet blocks makes noise look smaller; the measurement corrects for that.
        let scale = deviation * deviation / found[0][centre]
        let transform = FourierTransform(side: Self.side)
        var generator = SeededGenerator(seed: 1)
        let scaled = found.map { $0.map { $0 * scale } }
        fields =
            scaled.map { Self.field($0, transform, &generator) }
            + [Self.field(scaled[0], transform, isWhitened: true, &generator)]
    }

    /// Noise for an image: three planes to be added to it.
    ///
    /// The components are independent, so each is cut out of its field at a place of its own, and its sign is drawn.
    ///
    /// - Parameters:
    ///   - image: what it falls on; its brightness counts, and its texture where noise adapts to it.
    ///   - adaptivity: how noise differs where there is texture; the default leaves it as on flat areas everywhere.
    ///   - generator: the same state gives the same noise.
    public func drawn(
        on image: PlanarImage, _ adaptivity: NoiseAdaptivity = NoiseAdaptivity(),
        using generator: inout SeededGenerator
    ) -> PlanarImage {
        let places = fields.map { _ in
            (
                row: Int(generator.next() % UInt64(Self.side)), column: Int(generator.next() % UInt64(Self.side)),
                sign: generator.chance(0.5) ? Float(1) : -1
            )
        }
        var noise = PlanarImage(width: image.width, height: image.height, channels: 3)
        let plane = image.width * image.height
        let luma = image.luma
        let texture =
            adaptivity.isNone
            ? nil : Plane(width: image.width, height: image.height, samples: luma).texture(above: deviation * deviation)
        for p in 0..<plane {
            let (y, x) = (p / image.width, p % image.width)
            func component(_ index: Int) -> Float {
                let (row, column) = (y + places[index].row, x + places[index].column)
                return places[index].sign * fields[index][row % Self.side * Self.side + column % Self.side]
            }
            let gain = profile.variance(at: luma[p]).squareRoot() / deviation
            let share = texture?.samples[p] ?? 0
            let white = adaptivity.whitening * share
            var grey = component(0)
            if white > 0 { grey = (1 - white).squareRoot() * grey + white.squareRoot() * component(3) }
            grey *= 1 + adaptivity.luma * share
            let chroma = 1 + adaptivity.chroma * share
            let rest = chroma * component(1)
            let red = rest + shares.red * grey
            let blue = chroma * component(2) + shares.blue.luma * grey + shares.blue.red * rest
            noise.samples[p] = gain * (grey + red)
            noise.samples[plane + p] = gain * (grey - (0.299 * red + 0.114 * blue) / 0.587)
            noise.samples[2 * plane + p] = gain * (grey + blue)
        }
        return noise
    }

    // MARK: - Measuring

    /// Luma, red − luma and blue − luma of a block, each freed of its best-fitting plane.
    private static func components(of image: PlanarImage, row: Int, column: Int) -> [[Float]] {
        let crop = image.cropped(to: Tile(x: column, y: row, width: block, height: block))
        let (count, luma) = (block * block, crop.luma)
        let red = (0..<count).map { crop.samples[$0] - luma[$0] }
        let blue = (0..<count).map { crop.samples[2 * count + $0] - luma[$0] }
        return [luma, red, blue].map(levelled)
    }

    private static func levelled(_ samples: [Float]) -> [Float] {
        let middle = Float(block - 1) / 2
        var (mean, across, down): (Float, Float, Float) = (0, 0, 0)
        for p in samples.indices {
            mean += samples[p]
            across += samples[p] * (Float(p % block) - middle)
            down += samples[p] * (Float(p / block) - middle)
        }
        let count = Float(samples.count)
        let moment = count * (Float(block * block) - 1) / 12
        return samples.indices.map { p in
            samples[p] - mean / count - across / moment * (Float(p % block) - middle)
                - down / moment * (Float(p / block) - middle)
        }
    }

    /// The factor of least squares.
    private static func share(of target: [[Float]], in source: [[Float]]) -> Float {
        var (cross, square): (Float, Float) = (0, 0)
        for (a, b) in zip(target, source) {
            for p in a.indices {
                cross += a[p] * b[p]
                square += b[p] * b[p]
            }
        }
        return square > 0 ? cross / square : 0
    }

    private static func difference(_ target: [[Float]], _ share: Float, _ source: [[Float]]) -> [[Float]] {
        zip(target, source).map { a, b in a.indices.map { a[$0] - share * b[$0] } }
    }

    /// Mean products at every distance, unbiased by the block's borders and by the plane that was taken off; far ones
    /// fade out.
    private static func covariance(_ blocks: [[Float]]) -> [Float] {
        let width = 2 * reach + 1
        var result = [Float](repeating: 0, count: width * width)
        for down in 0...reach {
            for across in -reach...reach where down > 0 || across >= 0 {
                var sum = 0.0
                for samples in blocks {
                    var products: Float = 0
                    for y in 0..<block - down {
                        for x in max(0, -across)..<block - max(0, across) {
                            products += samples[y * block + x] * samples[(y + down) * block + x + across]
                        }
                    }
                    sum += Double(products)
                }
                let pairs = Double(blocks.count * (block - down) * (block - abs(across)))
                result[(reach + down) * width + reach + across] = Float(sum / pairs)
                result[(reach - down) * width + reach - across] = Float(sum / pairs)
            }
        }
        let taken = takenByPlane(result)
        for index in result.indices {
            result[index] = (result[index] + taken) * fade(index / width - reach) * fade(index % width - reach)
        }
        return result
    }

    /// What fitting a plane took away at every distance: each of its three parameters takes Σρ of a pixel's variance,
    /// to first order in 1/(pixels of a block). Coarse noise, as that of colour, would be lost without it.
    private static func takenByPlane(_ covariance: [Float]) -> Float {
        let (width, centre) = (2 * reach + 1, reach * (2 * reach + 1) + reach)
        guard covariance[centre] > 0 else { return 0 }
        func extent(_ step: Int) -> Float {
            max(1, 1 + 2 * (1...trusted).reduce(0) { $0 + covariance[centre + $1 * step] / covariance[centre] })
        }
        let share = min(3 * extent(1) * extent(width) / Float(block * block), 0.5)
        return covariance[centre] * share / (1 - share)
    }

    private static func fade(_ distance: Int) -> Float {
        let beyond = Float(max(abs(distance) - trusted, 0)) / Float(reach + 1 - trusted)
        return 0.5 * (1 + cos(.pi * beyond))
    }

    // MARK: - Drawing

    /// White noise filtered so that it has the covariance; frequencies of which the estimate says less than nothing get
    /// none, and the rest is scaled to keep the variance.
    ///
    /// - Parameter isWhitened: each frequency gets the square root of its power, and all together the same variance.
    private static func field(
        _ covariance: [Float], _ transform: FourierTransform, isWhitened: Bool = false,
        _ generator: inout SeededGenerator
    ) -> [Float] {
        var power = [Float](repeating: 0, count: side * side)
        var unused = power
        for down in -reach...reach {
            for across in -reach...reach {
                let place = (down + side) % side * side + (across + side) % side
                power[place] = covariance[(reach + down) * (2 * reach + 1) + reach + across]
            }
        }
        let variance = power[0]
        transform.transform(&power, &unused)
        if isWhitened { power = power.map { max($0, 0).squareRoot() } }
        let kept = power.reduce(0) { $0 + max($1, 0) } / Float(side * side)
        guard kept > 0, variance > 0 else { return [Float](repeating: 0, count: side * side) }
        var real = generator.normals(side * side)
        var imaginary = [Float](repeating: 0, count: side * side)
        transform.transform(&real, &imaginary)
        let scale = variance / kept
        for index in power.indices {
            let amplitude = (max(power[index], 0) * scale).squareRoot() / Float(side * side)
            real[index] *= amplitude
            imaginary[index] *= -amplitude
        }
        transform.transform(&real, &imaginary)
        return real
    }
}
