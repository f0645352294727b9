import Imaging
import SystemPackage

/// A picture of the same place before and after, enlarged without smoothing, so that eyes can judge.
public struct Comparison: Sendable {
    /// Side of the square that is cut out, in pixels of the photograph.
    public var side = 240
    /// Each pixel becomes zoom × zoom.
    public var zoom = 3
    public var limits = DecodingLimits()
    public var decoder = PhotographDecoder.inThisProcess

    public init() {}

    /// Writes a PNG: before on the left, after on the right.
    ///
    /// - Returns: the first row and column of the square, the one where most was changed.
    /// - Throws: decoding and encoding errors; `QualityError` when the sizes differ.
    @discardableResult
    public func write(before: FilePath, after: FilePath, to path: FilePath) throws -> (row: Int, column: Int) {
        let old = try decoder.decode(before, limits: limits).pixels.planar()
        let new = try decoder.decode(after, limits: limits).pixels.planar()
        try QualityMetrics.requireSameSize(old, new)
        let (row, column) = mostChanged(old, new)
        let size = min(side, old.width, old.height)
        let (gap, square) = (zoom * 4, size * zoom)
        var picture = PlanarImage(width: 2 * square + gap, height: square, channels: old.channels, repeating: 1)
        for (image, left) in [(old, 0), (new, square + gap)] {
            for channel in 0..<image.channels {
                for y in 0..<square {
                    for x in 0..<square {
                        picture[channel, y, left + x] = image[channel, row + y / zoom, column + x / zoom]
                    }
                }
            }
        }
        var pixels = PixelBuffer(
            width: picture.width, height: picture.height, colourChannels: picture.channels,
            samples: .uint8([UInt8](repeating: 0, count: picture.samples.count)))
        pixels.write(picture, row: 0, column: 0)
        let file = try StagedFile(path)
        try ImageEncoder.encode(Photograph(pixels: pixels, format: .png), format: .png, to: file)
        _ = try file.finish()
        return (row, column)
    }

    /// The square with the largest mean absolute difference among those that are neither nearly black nor nearly white.
    private func mostChanged(_ old: PlanarImage, _ new: PlanarImage) -> (row: Int, column: Int) {
        let size = min(side, old.width, old.height)
        let step = max(1, size / 2)
        var best = (score: -1.0, row: (old.height - size) / 2, column: (old.width - size) / 2)
        for row in stride(from: 0, through: old.height - size, by: step) {
            for column in stride(from: 0, through: old.width - size, by: step) {
                var (sum, change) = (0.0, 0.0)
                for y in stride(from: row, to: row + size, by: 2) {
                    for x in stride(from: column, to: column + size, by: 2) {
                        sum += Double(old[0, y, x])
                        change += Double(abs(old[0, y, x] - new[0, y, x]))
                    }
                }
                let mean = sum / Double(size * size / 4)
                if (0.15...0.9).contains(mean), change > best.score { best = (change, row, column) }
            }
        }
        return (best.row, best.column)
    }
}
