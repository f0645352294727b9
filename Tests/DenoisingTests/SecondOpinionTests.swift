import Imaging
import Tensors
import Testing

@testable import Denoising

@Suite struct SecondOpinionTests {
    /// Woven cloth of two colours in the upper half, one colour below.
    private static let clean: PlanarImage = {
        var image = PlanarImage(width: 161, height: 160, channels: 3)
        for (channel, colours) in [(0.3, 0.5), (0.35, 0.55), (0.5, 0.42)].enumerated() {
            for row in 0..<image.height {
                for column in 0..<image.width {
                    let isFirst = row >= 80 || (row / 5 + column / 7) % 2 == 0
                    image[channel, row, column] = Float(isFirst ? colours.0 : colours.1)
                }
            }
        }
        return image
    }()

    private static let grey = PlanarImage(
        width: clean.width, height: clean.height, channels: 1,
        samples: Array(clean.samples[..<(clean.width * clean.height)]))

    private func joined(_ estimate: PlanarImage, noisy: PlanarImage, threads: Int = 2) throws -> PlanarImage {
        try SecondOpinion(noise: NoiseAssessment(of: noisy)).joined(estimate, noisy: noisy, threads: threads)
    }

    /// What a network might make of it: of the noise an eighth is left, and the picture is softer.
    private func estimate(of noisy: PlanarImage, _ clean: PlanarImage = clean) -> PlanarImage {
        var estimate = clean
        let count = clean.width * clean.height
        for channel in 0..<clean.channels {
            let range = channel * count..<(channel + 1) * count
            let plane = Plane(width: clean.width, height: clean.height, samples: Array(clean.samples[range]))
            estimate.samples.replaceSubrange(range, with: plane.filtered([0.5, 0.25]).samples)
        }
        for p in estimate.samples.indices { estimate.samples[p] += (noisy.samples[p] - clean.samples[p]) / 8 }
        return estimate
    }

    /// Root mean square in units of 1/255 over rows of all channels.
    private func deviation(_ a: PlanarImage, _ b: PlanarImage, rows: Range<Int>) -> Float {
        var sum: Float = 0
        for channel in 0..<a.channels {
            for row in rows {
                for column in 0..<a.width {
                    let difference = a[channel, row, column] - b[channel, row, column]
                    sum += difference * difference
                }
            }
        }
        return 255 * (sum / Float(a.channels * rows.count * a.width)).squareRoot()
    }

    @Test(arguments: [5, 12], [1, 3])
    func itIsNearerToTheTruthInTexture(strength: Int, channels: Int) throws {
        let clean = channels == 1 ? Self.grey : Self.clean
        let noisy = Scenes.noisy(clean, deviation: Float(strength), seed: 11)
        let estimate = estimate(of: noisy, clean)
        let joined = try joined(estimate, noisy: noisy)
        #expect(joined.channels == channels)
        #expect(deviation(joined, clean, rows: 0..<72) < 0.85 * deviation(estimate, clean, rows: 0..<72))
    }

    @Test func onFlatAreasTheNetworkIsBelieved() throws {
        let noisy = Scenes.noisy(Self.clean, deviation: 8, seed: 12)
        var estimate = Self.clean
        for p in estimate.samples.indices {
            estimate.samples[p] += (noisy.samples[p] - Self.clean.samples[p]) / 40
        }
        let joined = try joined(estimate, noisy: noisy)
        let flat = 100..<160
        #expect(deviation(joined, estimate, rows: flat) < 0.1 * deviation(noisy, Self.clean, rows: flat))
    }

    /// Where the network took nothing there is no noise to speak of.
    @Test func whatTheNetworkLeavesAloneStays() throws {
        let joined = try joined(Self.clean, noisy: Self.clean)
        // Rounding between red, green, blue and their differences.
        #expect(deviation(joined, Self.clean, rows: 0..<160) < 0.01)
    }

    @Test(arguments: [1, 2, 15]) func tooSmallForBlocksItIsTheNetworksAlone(side: Int) throws {
        let noisy = PlanarImage(width: side, height: 40, channels: 3, repeating: 0.3)
        let estimate = PlanarImage(width: side, height: 40, channels: 3, repeating: 0.4)
        #expect(try joined(estimate, noisy: noisy) == estimate)
    }

    @Test func theThreadsDoNotMatter() throws {
        let noisy = Scenes.noisy(Self.clean, deviation: 8, seed: 13)
        let estimate = estimate(of: noisy)
        #expect(try joined(estimate, noisy: noisy, threads: 1) == joined(estimate, noisy: noisy, threads: 2))
    }

    /// Grey under noise of a deviation in units of 1/255, smoothed or white.
    private func caution(deviation: Float, isSmooth: Bool) -> Float {
        let side = 256
        var random = RandomSource(seed: 14)
        let white = Plane(width: side, height: side, samples: (0..<side * side).map { _ in random.normal() })
        // A Gaussian of deviation 1 leaves 1/(2√π) of white noise's.
        let noise = isSmooth ? white.blurred(across: 1, down: 1).samples.map { $0 * 3.545 } : white.samples
        let image = PlanarImage(
            width: side, height: side, channels: 1, samples: noise.map { 0.5 + deviation / 255 * $0 })
        return SecondOpinion(noise: NoiseAssessment(of: image)).caution
    }

    /// Noise that a camera has smoothed is told to be more than what was taken away, weak noise is not.
    @Test func itIsBoldWhereNoiseIsSmoothAndNotWeak() {
        #expect(caution(deviation: 4, isSmooth: true) == 1.5)
        #expect(caution(deviation: 0.5, isSmooth: true) == 1)
        #expect((1.1...1.4).contains(caution(deviation: 1.25, isSmooth: true)))
        #expect(caution(deviation: 4, isSmooth: false) < 1.1)
    }
}
