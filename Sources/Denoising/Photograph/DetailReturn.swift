import Imaging

/// Gives back detail that a network took for noise.
///
/// A network cannot know texture near the sampling limit, such as a fine mesh, least of all one that never sees half of
/// the pixels. But what it removed betrays the mistake: noise has the photograph's own noise level, detail far more. With
/// e the mean square of the removed luma in a window, and v the noise variance at that brightness, the share
/// w = max(0, 1 − 2.5·v/e) of what was removed is put back: nothing where e is at most two and a half times the noise,
/// nearly all on strong texture. A factor of 4 gains 0.03 dB on noisy photographs, and costs clean ones 0.2 to 1.1 dB.
struct DetailReturn: Sendable {
    let noise: NoiseProfile
    /// Pixels to each side of the window's centre: 9×9.
    private static let radius = 4
    private static let scepticism: Float = 2.5

    /// - Parameters:
    ///   - denoised: changed in place.
    ///   - noisy: the same region before.
    func apply(to denoised: inout PlanarImage, noisy: PlanarImage) {
        let (width, height) = (noisy.width, noisy.height)
        let (before, after) = (noisy.luma, denoised.luma)
        var energy = zip(before, after).map { ($0 - $1) * ($0 - $1) }
        Self.average(&energy, lines: height, length: width, step: 1, lineStep: width)
        Self.average(&energy, lines: width, length: height, step: width, lineStep: 1)
        for p in 0..<width * height {
            let expected = Self.scepticism * noise.variance(at: after[p])
            guard energy[p] > expected else { continue }
            let share = 1 - expected / energy[p]
            for channel in 0..<noisy.channels {
                let index = channel * width * height + p
                denoised.samples[index] += share * (noisy.samples[index] - denoised.samples[index])
            }
        }
    }

    /// Replaces each value by the mean of those within the radius on its line; at the ends the window is cut off.
    private static func average(_ values: inout [Float], lines: Int, length: Int, step: Int, lineStep: Int) {
        var sums = [Float](repeating: 0, count: length + 1)
        for line in 0..<lines {
            let first = line * lineStep
            // Sums of a line start anew, so that their rounding stays far below the values.
            for i in 0..<length { sums[i + 1] = sums[i] + values[first + i * step] }
            for i in 0..<length {
                let (low, high) = (max(0, i - radius), min(length, i + radius + 1))
                values[first + i * step] = max(0, sums[high] - sums[low]) / Float(high - low)
            }
        }
    }
}
