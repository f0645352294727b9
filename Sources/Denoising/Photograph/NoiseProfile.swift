import Imaging

/// The strength of a photograph's noise as a function of brightness: sensors are noisier where more light falls, tone
/// curves raise the noise of shadows.
struct NoiseProfile: Sendable {
    private static let bins = 8
    /// Blocks that a bin needs, so that its flattest tenth is more than chance.
    private static let fewest = 40
    private static let side = 32
    /// Deviation at the noisiest brightness per deviation of the flattest blocks.
    private static let mostContrast = 2.5

    /// Variance of luma noise, in squared units of 1, at the centre of each bin of brightness.
    private let variances: [Float]

    /// - Parameter sample: blocks of 32×32 pixels side by side, as `PixelBuffer.noiseSample` has them.
    /// - Returns: nil where no noise could be measured at all: the sample is too small, or clipped everywhere.
    init?(of sample: PlanarImage) {
        guard let overall = NoiseMeasurement(of: sample)?.luma.deviation else { return nil }
        var corners = [[(row: Int, column: Int)]](repeating: [], count: Self.bins)
        let luma = sample.luma
        for row in stride(from: 0, through: sample.height - Self.side, by: Self.side) {
            for column in stride(from: 0, through: sample.width - Self.side, by: Self.side) {
                var sum: Float = 0
                for y in row..<row + Self.side {
                    for x in column..<column + Self.side { sum += luma[y * sample.width + x] }
                }
                let mean = sum / Float(Self.side * Self.side)
                corners[min(max(Int(mean * Float(Self.bins)), 0), Self.bins - 1)].append((row, column))
            }
        }
        // Flat blocks may be missing at some brightness: never less than the flattest blocks of all show, and never so
        // much more that it must be texture.
        variances = corners.map { corners in
            let measured = corners.count < Self.fewest ? nil : NoiseMeasurement(of: sample.montage(corners, Self.side))
            let deviation = Float(min(max(overall, measured?.luma.deviation ?? 0), Self.mostContrast * overall) / 255)
            return deviation * deviation
        }
    }

    /// Variance of luma noise at a brightness, between the bins' centres by straight lines.
    func variance(at luma: Float) -> Float {
        let position = min(max(luma * Float(Self.bins) - 0.5, 0), Float(Self.bins - 1))
        let bin = min(Int(position), Self.bins - 2)
        let share = position - Float(bin)
        return variances[bin] * (1 - share) + variances[bin + 1] * share
    }
}

extension PlanarImage {
    /// The square blocks at `corners`, side by side in rows of 64.
    fileprivate func montage(_ corners: [(row: Int, column: Int)], _ side: Int) -> PlanarImage {
        let columns = min(64, corners.count)
        // The last row is filled with the first blocks, so that none is made up.
        let count = (corners.count + columns - 1) / columns * columns
        var montage = PlanarImage(width: columns * side, height: count / columns * side, channels: channels)
        for index in 0..<count {
            let corner = corners[index % corners.count]
            let block = cropped(to: Tile(x: corner.column, y: corner.row, width: side, height: side))
            montage.place(block, row: index / columns * side, column: index % columns * side)
        }
        return montage
    }
}
