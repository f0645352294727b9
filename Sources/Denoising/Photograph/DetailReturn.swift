import Imaging
import Tensors

/// Gives back detail that a network took for noise.
///
/// A network cannot know texture near the sampling limit, such as a fine mesh, least of all one that never sees half of
/// the pixels. But what it removed betrays the mistake: noise has the photograph's own noise level, detail far more.
/// With e the mean square of the removed luma in a window, and v the noise variance at that brightness, the share
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
        let removed = Tensor([1, 1, height, width], zip(before, after).map { ($0 - $1) * ($0 - $1) })
        let energy = boxMean(removed, radius: Self.radius).values
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
}
