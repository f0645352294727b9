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

        /// How many times the deviation of white noise of the same variance the noise has at low frequencies: 1 for white
        /// noise, more the more it was smoothed.
        public var smoothness: Double { (Self.extent(across) * Self.extent(down)).squareRoot() }

        /// Sum of all correlations along a line.
        fileprivate static func extent(_ correlations: [Double]) -> Double {
            max(1 + 2 * correlations.reduce(0, +), 1)
        }
    }

    /// One field for each channel, in order.
    public let channels: [Field]
    /// The weighted sum 0.299, 0.587, 0.114 of red, green and blue; of other images the mean of the channels.
    public let luma: Field

    static let side = 32
    /// Blocks that are looked at; a 12-megapixel photograph has 11,700.
    private static let most = 1500
    /// How many of them count as quiet.
    private static let quietShare = 0.2

    /// - Returns: nil if the image is smaller than 32×32 pixels, or clipped everywhere.
    public init?(of image: PlanarImage) {
        let places = Self.flattest(of: image)
        guard !places.isEmpty else { return nil }
        func blocks(_ weights: [Float]) -> [NoiseBlock] { Self.blocks(of: image, at: places, weights) }
        let grey = blocks(Self.lumaWeights(image.channels))
        let credibility = Self.credibility(of: grey)
        luma = Self.field(of: grey, credibility)
        channels = (0..<image.channels).map { channel in
            Self.field(of: blocks((0..<image.channels).map { $0 == channel ? 1 : 0 }), credibility)
        }
    }

    static func blocks(
        of image: PlanarImage, at places: [(row: Int, column: Int)], _ weights: [Float]
    ) -> [NoiseBlock] {
        places.compactMap { NoiseBlock(of: image, weights: weights, row: $0.row, column: $0.column) }
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
        let extent = Field.extent(ratios(across)) * Field.extent(ratios(down))
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
