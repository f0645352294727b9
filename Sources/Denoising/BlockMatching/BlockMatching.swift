import Imaging
import Tensors

/// BM3D of a colour image (Dabov, Foi, Katkovnik and Egiazarian 2007): blocks that look alike are stacked, their
/// spectrum is freed of what noise alone may be, and all are laid back where they came from. The first round cuts small
/// coefficients off; the second weighs them as Wiener would if the first round's result were the truth.
///
/// Fine-tuning asks it for a second opinion beside the network's: it sees what repeats itself in a photograph, and knows
/// nothing of other photographs.
struct BlockMatching {
    /// Standard deviation of white noise in each of red, green and blue, in units of 1.
    let deviation: Float
    let threads: Int

    /// Reference blocks are this far apart.
    private static let step = 6
    /// Reference rows that are worked on as one; the same at any number of threads, so that sums are.
    private static let band = 10
    /// What noise may reach, in deviations, before it is thought to be more.
    private static let threshold: Float = 2.7

    /// - Parameter noisy: three channels in [0, 1], at least 8×8 pixels.
    /// - Returns: the same shape, clamped to [0, 1].
    func denoised(_ noisy: PlanarImage) throws -> PlanarImage {
        precondition(noisy.channels == 3 && min(noisy.width, noisy.height) >= CosineBlock.side)
        let planes = OpponentColour.planes(of: noisy)
        let variances = OpponentColour.variances.map { $0 * deviation * deviation }
        let first = try pass(planes, matching: planes[0].blurred(across: 0.8, down: 0.8)) { group, plane, _ in
            group.cut(below: Self.threshold * Self.threshold * variances[plane], variance: variances[plane])
        }
        let second = try pass(planes, matching: first[0]) { group, plane, places in
            let truth = BlockGroup(places, in: first[plane])
            return group.weigh(by: truth, variance: variances[plane])
        }
        return OpponentColour.image(of: second)
    }

    /// Removes noise from a group's spectrum; returns the variance that is left.
    private typealias Shrinkage = @Sendable (inout BlockGroup, _ plane: Int, [BlockGroup.Place]) -> Float

    private func pass(_ planes: [Plane], matching: Plane, _ shrink: @escaping Shrinkage) throws -> [Plane] {
        let search = BlockSearch(matching)
        let rows = Self.references(matching.height)
        let columns = Self.references(matching.width)
        let bands = stride(from: 0, to: rows.count, by: Self.band).map {
            Array(rows[$0..<min($0 + Self.band, rows.count)])
        }
        let sums = try parallelMap(bands.count, threads: threads) { index in
            let span = search.rows(around: bands[index])
            var sums = planes.map { _ in BlockSum(rows: span, width: matching.width) }
            for row in bands[index] {
                for column in columns {
                    let places = search.similar(to: .init(row: row, column: column))
                    for plane in planes.indices {
                        var group = BlockGroup(places, in: planes[plane])
                        let left = shrink(&group, plane, places)
                        sums[plane].add(group.blocks(), at: places, weight: 1 / max(left, .leastNormalMagnitude))
                    }
                }
            }
            return sums
        }
        return planes.indices.map { plane in
            BlockSum.joined(sums.map { $0[plane] }, over: planes[plane])
        }
    }

    /// Where reference blocks begin: every `step` pixels, and at the end.
    private static func references(_ extent: Int) -> [Int] {
        let last = extent - CosineBlock.side
        return Array(stride(from: 0, to: last, by: step)) + [last]
    }
}

/// Mean of red, green and blue, and two differences of colours (Dabov et al. 2007, section V).
enum OpponentColour {
    /// Variance of each plane where each colour's is 1.
    static let variances: [Float] = [1.0 / 3, 0.5, 0.375]

    static func planes(of image: PlanarImage) -> [Plane] {
        let count = image.width * image.height
        var planes = [Plane](repeating: Plane(width: image.width, height: image.height), count: 3)
        for p in 0..<count {
            let (red, green, blue) = (
                image.samples[p], image.samples[count + p], image.samples[2 * count + p]
            )
            planes[0].samples[p] = (red + green + blue) / 3
            planes[1].samples[p] = (red - blue) / 2
            planes[2].samples[p] = (red - 2 * green + blue) / 4
        }
        return planes
    }

    static func image(of planes: [Plane]) -> PlanarImage {
        var image = PlanarImage(width: planes[0].width, height: planes[0].height, channels: 3)
        let count = image.width * image.height
        for p in 0..<count {
            let (mean, first, second) = (planes[0].samples[p], planes[1].samples[p], planes[2].samples[p])
            let sides = mean + 2 * second / 3
            for (channel, value) in [sides + first, mean - 4 * second / 3, sides - first].enumerated() {
                image.samples[channel * count + p] = min(max(value, 0), 1)
            }
        }
        return image
    }
}
