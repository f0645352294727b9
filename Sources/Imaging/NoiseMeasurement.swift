/// Strength and spatial correlation of the noise of one photograph, without a clean version of it.
///
/// Measured in blocks of 32×32 pixels, the more even half of the quietest fifth of them, after a plane has been fitted
/// and subtracted, so that slopes do not count. Choosing blocks of low variance makes the noise look smaller, and the
/// fit takes some away; both are corrected for with the correlation that is found. Blocks with many clipped pixels are
/// left out: there the noise is cut off. Known noise is found to within 12 %.
///
/// Where no block is free of texture, texture would count as noise. It betrays itself: noise lies evenly about its mean
/// and seldom far from it, edges and meshes do not, and what is measured counts the less the more it looks like them
/// (`credibility`).
public struct NoiseMeasurement: Sendable, Equatable {
    /// Noise of one channel.
    public struct Field: Sendable, Equatable {
        /// Standard deviation in units of 1/255.
        public var deviation: Double
        /// Correlation of neighbours 1, 2, 3 and 4 columns apart, −1…1; 0 where there is no noise.
        public var across: [Double]
        /// The same for rows.
        public var down: [Double]
        /// The same for neighbours that many rows and columns apart.
        public var diagonal: [Double]

        /// Mean of both directions.
        ///
        /// - Parameter lag: distance in pixels, 1…4.
        public func correlation(lag: Int) -> Double { (across[lag - 1] + down[lag - 1]) / 2 }
    }

    /// One field for each channel, in order.
    public let channels: [Field]
    /// The weighted sum 0.299, 0.587, 0.114 of red, green and blue; of other images the mean of the channels.
    public let luma: Field

    /// The smallest distance, 1…4 pixels, at which no channel's noise is correlated, so that sub-images of that stride hold
    /// independent noise (spec D.4).
    ///
    /// Texture that is left in the blocks correlates as noise does, but seldom survives second differences, and differences
    /// of colours less still. Second differences of independent noise correlate at lag 1 by −2/3, where neighbours share a
    /// tenth by −0.635 and where they share a fifth by −0.59. The distance is the smallest below `independentCurvature`,
    /// either of all channels, or of both differences from green where there is as much noise in them as in a channel (in
    /// those of cameras there is not: their colour is smooth); where there is none, the one at which the channels come
    /// nearest.
    public let independentDistance: Int

    /// Half-way between a tenth and a fifth. Of 28 photographs' crops of 256² under noise of 25/255, 28 are found to be
    /// independent at distance 1 where the noise is, and 2 where neighbours share a fifth of it.
    private static let independentCurvature = -0.61

    static let side = 32
    /// Blocks that are looked at; a 12-megapixel photograph has 11,700.
    private static let most = 1500
    /// How many of them count as quiet.
    private static let quietShare = 0.2

    /// - Returns: nil if the image is smaller than 32×32 pixels, or clipped everywhere.
    public init?(of image: PlanarImage) {
        let blocks = Self.flattest(of: image)
        guard !blocks.isEmpty else { return nil }
        func levelled(_ weights: [Float]) -> [NoiseBlock] {
            blocks.compactMap { NoiseBlock(of: image, weights: weights, row: $0.row, column: $0.column) }
        }
        let grey = levelled(Self.lumaWeights(image.channels))
        let credibility = Self.credibility(of: grey)
        luma = Self.field(of: grey, credibility)
        let planes = (0..<image.channels).map { channel in
            levelled((0..<image.channels).map { $0 == channel ? 1 : 0 })
        }
        channels = planes.map { Self.field(of: $0, credibility) }
        let colours: [[Float]] = image.channels == 3 ? [[1, -1, 0], [0, -1, 1]] : []
        independentDistance = Self.independentDistance(of: planes, colours: colours.map(levelled))
    }

    /// - Parameter colours: differences of channels, of which there may be none.
    private static func independentDistance(of planes: [[NoiseBlock]], colours: [[NoiseBlock]]) -> Int {
        let correlations = (1...4).map { distance in
            let planes = planes.map { curvature(of: $0, distance: distance) }
            let colours = colours.map { curvature(of: $0, distance: distance) }
            let (power, correlation) = (planes.map(\.power).max() ?? 0, planes.map(\.correlation).max() ?? 0)
            let tells = !colours.isEmpty && colours.allSatisfy { $0.power > power / 2 }
            return (
                channels: correlation,
                least: tells ? min(correlation, colours.map(\.correlation).max() ?? 0) : correlation
            )
        }
        let nearest = correlations.indices.min { correlations[$0].channels < correlations[$1].channels } ?? 0
        return 1 + (correlations.firstIndex { $0.least < independentCurvature } ?? nearest)
    }

    /// Of second differences, the smaller power of both directions, and the larger correlation with neighbours: −2/3 for
    /// independent noise, and for none at all.
    private static func curvature(of blocks: [NoiseBlock], distance: Int) -> (power: Double, correlation: Double) {
        let directions = [1, side].map { direction in
            let sums = blocks.map { $0.curvature(distance: distance, direction: direction) }
            let power = sums.reduce(0) { $0 + $1.square }
            return (power: power, correlation: power > 0 ? sums.reduce(0) { $0 + $1.product } / power : -2 / 3)
        }
        return (directions.map(\.power).min() ?? 0, directions.map(\.correlation).max() ?? -2 / 3)
    }

    /// Medians of the blocks' skewness and kurtosis that real noise keeps below: on 56 pairs of PolyU they reach 0.34
    /// and 4.5 where the blocks hold noise alone; JPEG makes more of both, metal meshes several times as much.
    private static let mostNoiseLike = (skewness: 0.35, kurtosis: 6.0)

    /// How much of what was measured is believed to be noise, 0…1: 1 where luma is distributed as noise is.
    private static func credibility(of luma: [NoiseBlock]) -> Double {
        let shapes = luma.compactMap(\.shape)
        func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
        guard !shapes.isEmpty else { return 1 }
        return min(1, mostNoiseLike.skewness / median(shapes.map { abs($0.skewness) }))
            * min(1, mostNoiseLike.kurtosis / median(shapes.map(\.kurtosis)))
    }

    private static func lumaWeights(_ channels: Int) -> [Float] {
        channels == 3 ? [0.299, 0.587, 0.114] : [Float](repeating: 1 / Float(channels), count: channels)
    }

    /// Top left corners of quiet blocks of 32×32 pixels without structure: what the noise is measured on.
    public static func flattest(of image: PlanarImage) -> [(row: Int, column: Int)] {
        let (rows, columns) = (image.height / side, image.width / side)
        guard rows > 0, columns > 0 else { return [] }
        let step = max((rows * columns) / most, 1)
        let weights = lumaWeights(image.channels)
        var found: [(variance: Double, unevenness: Double, row: Int, column: Int)] = []
        for index in stride(from: 0, to: rows * columns, by: step) {
            let (row, column) = (index / columns * side, index % columns * side)
            guard let block = NoiseBlock(of: image, weights: weights, row: row, column: column), !block.isClipped else {
                continue
            }
            found.append((block.covariance(down: 0, across: 0), block.unevenness, row, column))
        }
        found.sort { $0.variance < $1.variance }
        let quiet = found.prefix(max(Int(Double(found.count) * quietShare), min(found.count, 8)))
        let even = quiet.sorted { $0.unevenness < $1.unevenness }.prefix((quiet.count + 1) / 2)
        return even.map { ($0.row, $0.column) }
    }

    private static func field(of blocks: [NoiseBlock], _ credibility: Double) -> Field {
        let zeros = [Double](repeating: 0, count: 5)
        var sums = (across: zeros, down: zeros, diagonal: zeros)
        let count = Double(blocks.count)
        for block in blocks {
            for lag in 0...4 {
                sums.across[lag] += block.covariance(down: 0, across: lag)
                sums.down[lag] += block.covariance(down: lag, across: 0)
                sums.diagonal[lag] += block.covariance(down: lag, across: lag)
            }
        }
        guard count > 0, sums.across[0] > 0 else {
            return Field(deviation: 0, across: [0, 0, 0, 0], down: [0, 0, 0, 0], diagonal: [0, 0, 0, 0])
        }
        var field = corrected(
            across: sums.across.map { $0 / count }, down: sums.down.map { $0 / count },
            diagonal: sums.diagonal.map { $0 / count })
        field.deviation *= credibility
        return field
    }

    /// Undoes what fitting a plane and choosing quiet blocks took away, to first order in 1/(pixels of a block).
    private static func corrected(across: [Double], down: [Double], diagonal: [Double]) -> Field {
        let pixels = Double(side * side)
        let variance = across[0]
        func ratios(_ covariances: [Double]) -> [Double] { covariances.dropFirst().map { $0 / variance } }
        // A plane has three parameters, and each takes Σρ of a pixel's variance.
        let extent = max(1 + 2 * ratios(across).reduce(0, +), 1) * max(1 + 2 * ratios(down).reduce(0, +), 1)
        let taken = min(3 * extent / pixels, 0.5) * variance / (1 - min(3 * extent / pixels, 0.5))
        let whole = variance + taken
        func restored(_ covariances: [Double]) -> [Double] {
            covariances.dropFirst().map { min(max(($0 + taken) / whole, -1), 1) }
        }
        let (restoredAcross, restoredDown) = (restored(across), restored(down))
        // A sample variance of n correlated pixels scatters by √(2Σρ²/n); the mean of its lowest fifth lies 1.4 of that
        // too low. Half of it is taken back: right to within half, whether all of the photograph is flat or one fifth.
        func squares(_ values: [Double]) -> Double { 1 + 2 * values.reduce(0) { $0 + $1 * $1 } }
        let scatter = (2 * squares(restoredAcross) * squares(restoredDown) / pixels).squareRoot()
        let quiet = max(1 - 0.5 * 1.4 * scatter, 0.5)
        return Field(
            deviation: 255 * (whole / quiet).squareRoot(), across: restoredAcross, down: restoredDown,
            diagonal: restored(diagonal))
    }
}

/// A square of a weighted sum of channels from which its best-fitting plane was subtracted.
private struct NoiseBlock {
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
