import Foundation
import Imaging
import SystemPackage

/// How far a denoised capture is from the clean photograph that nobody has: Stein's unbiased estimate.
///
/// For noise of covariance Σ, E‖D(y) − x‖² = E‖D(y) − y‖² − tr Σ + 2 tr(Σ ∂D/∂y). The last term says how much of the
/// noise comes through, and is measured by sending more of it: zᵀ(D(y + εz) − D(y))/ε with z drawn as the capture's
/// own noise (Ramani, Blu and Unser 2008). A model that keeps noise pays for it there, and one that takes detail away
/// pays in the first term, whatever the noise is correlated with; masked errors know neither once neighbours share
/// their noise.
///
/// Flat areas show the noise that a camera left there; in texture, where its noise reduction held back, there may be
/// several times as much. What the model in use takes away there says how much: more than it takes of noise as on flat
/// areas, by the same factor as there is more noise, or detail. So the risk is estimated with that factor as `excess`, and
/// with the root of it. What is better under both is better. (On sixteen captures whose truth is known, a network that
/// was taught with the truth is better on all but two; by the noise of flat areas it would be on seven, so on fifteen.)
struct RiskEstimate: Sendable {
    /// Mean square error in squared units of 1 if texture has the root of `excess` times as much noise as flat areas; below
    /// zero where chance wants it so.
    let least: Double
    /// The same if it has `excess` times as much, so that all that the model in use removes is noise.
    let most: Double
    /// Mean square of the noise of flat areas.
    let noise: Double
    /// Mean square of what was removed.
    let removed: Double
    /// The share of the noise that comes through.
    let passed: Double
    /// `ResidualStructure` of what was removed.
    let structure: Double
    /// What the model makes of the capture.
    let denoised: PlanarImage
    /// How many times the power of flat areas' noise may be around each pixel: 1 to 4.
    let excess: [Float]

    /// Small enough for the derivative, far larger than rounding.
    private static let step: Float = 0.25

    /// - Parameters:
    ///   - seed: of masks and added noise; the same for models that are compared.
    ///   - excess: what the model in use found; nil for that model itself.
    /// - Throws: `NonFiniteOutput`.
    init(of model: Model, on capture: Capture, options: ImageOptions, seed: UInt64, excess: [Float]? = nil) throws {
        let noisy = capture.pixels
        var generator = SeededGenerator(seed: seed)
        let noise = capture.noise.drawn(on: noisy, using: &generator)
        var shifted = noisy
        for p in shifted.samples.indices {
            shifted.samples[p] = min(max(noisy.samples[p] + Self.step * noise.samples[p], 0), 1)
        }
        let first = try Self.denoised(noisy, model, options, noiseSample: noisy, seed: seed)
        let second = try Self.denoised(shifted, model, options, noiseSample: noisy, seed: seed)
        let excess = excess ?? Self.excess(of: noisy, first, noise: noise, second)
        var (removed, passed, power) = (0.0, 0.0, 0.0)
        // What Stein's estimate adds to the squared distance, 2zᵀ(∂D/∂y)z − z², for `excess` times the noise and its root.
        var (balanceLeast, balanceMost) = (0.0, 0.0)
        for p in noisy.samples.indices {
            let difference = Double(first.samples[p] - noisy.samples[p])
            let through = Double(noise.samples[p]) * Double(second.samples[p] - first.samples[p]) / Double(Self.step)
            let square = Double(noise.samples[p]) * Double(noise.samples[p])
            let factor = Double(excess[p % excess.count])
            removed += difference * difference
            passed += through
            power += square
            balanceLeast += factor.squareRoot() * (2 * through - square)
            balanceMost += factor * (2 * through - square)
        }
        let count = Double(noisy.samples.count)
        least = (removed + balanceLeast) / count
        most = (removed + balanceMost) / count
        self.noise = power / count
        self.removed = removed / count
        self.passed = passed / power
        self.excess = excess
        denoised = first
        structure = ResidualStructure.measure(noisy: noisy, denoised: first) ?? 0
    }

    /// For each pixel, the mean square of what was removed around it per that of what is removed of noise as on flat areas,
    /// 1 to 4: of `noise`, which a quarter of was added for `second`.
    private static func excess(
        of noisy: PlanarImage, _ first: PlanarImage, noise: PlanarImage, _ second: PlanarImage
    ) -> [Float] {
        var (removed, expected) = (noisy, noise)
        for p in noisy.samples.indices {
            removed.samples[p] -= first.samples[p]
            expected.samples[p] -= (second.samples[p] - first.samples[p]) / step
        }
        func power(_ image: PlanarImage) -> [Float] {
            Plane(width: image.width, height: image.height, samples: image.luma.map { $0 * $0 })
                .blurred(across: 8, down: 8).samples
        }
        return zip(power(removed), power(expected)).map { min(max($0 / max($1, 1e-9), 1), 4) }
    }

    static func denoised(
        _ image: PlanarImage, _ model: Model, _ options: ImageOptions, noiseSample: PlanarImage, seed: UInt64
    ) throws -> PlanarImage {
        let pixels = PixelBuffer(interleaving: image)
        let pass = try TiledDenoising(
            options, model, pixels, NoiseAssessment(of: noiseSample), noiseSample: noiseSample, of: "capture",
            seed: seed)
        return try pass.run(on: pixels) { _ in }.planar()
    }
}

extension PixelBuffer {
    /// Floats in [0, 1] from planes.
    init(interleaving image: PlanarImage) {
        let plane = image.width * image.height
        var samples = [Float](repeating: 0, count: image.samples.count)
        for channel in 0..<image.channels {
            for p in 0..<plane {
                samples[p * image.channels + channel] = min(max(image.samples[channel * plane + p], 0), 1)
            }
        }
        self.init(width: image.width, height: image.height, colourChannels: image.channels, samples: .float32(samples))
    }
}
