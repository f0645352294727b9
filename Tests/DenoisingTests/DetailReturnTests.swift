import Imaging
import Tensors
import Testing

@testable import Denoising

@Suite struct DetailReturnTests {
    private static let side = 256

    /// Grey at 0.5 with Gaussian noise of deviation 3/255.
    private static func noisyGrey(seed: UInt64) -> PlanarImage {
        var random = RandomSource(seed: seed)
        let samples = (0..<side * side).map { _ in 0.5 + 3 / 255 * random.normal() }
        return PlanarImage(width: side, height: side, channels: 1, samples: samples)
    }

    private static func deviation(_ image: PlanarImage, from value: Float, columns: Range<Int>) -> Float {
        var sum: Float = 0
        for row in 8..<side - 8 {
            for column in columns {
                sum += (image[0, row, column] - value) * (image[0, row, column] - value)
            }
        }
        return (sum / Float((side - 16) * columns.count)).squareRoot()
    }

    @Test func noiseStaysRemoved() throws {
        let noisy = Self.noisyGrey(seed: 1)
        var denoised = PlanarImage(width: Self.side, height: Self.side, channels: 1, repeating: 0.5)
        DetailReturn(noise: try #require(NoiseProfile(of: noisy))).apply(to: &denoised, noisy: noisy)
        // The mean square of 81 samples is below two and a half times the variance but for one window in many millions.
        #expect(denoised.samples.allSatisfy { abs($0 - 0.5) < 1e-6 })
    }

    @Test func aMeshThatWasSmoothedAwayComesBack() throws {
        var noisy = Self.noisyGrey(seed: 2)
        for row in 0..<Self.side {
            for column in 128..<Self.side { noisy[0, row, column] += (row + column) % 2 == 0 ? 0.1 : -0.1 }
        }
        var denoised = PlanarImage(width: Self.side, height: Self.side, channels: 1, repeating: 0.5)
        DetailReturn(noise: try #require(NoiseProfile(of: noisy))).apply(to: &denoised, noisy: noisy)
        #expect(Self.deviation(denoised, from: 0.5, columns: 8..<120) < 0.001)
        // The mesh has a deviation of 0.1; at 8.5 times the noise's a Wiener share of 0.94 is due.
        #expect(Self.deviation(denoised, from: 0.5, columns: 140..<248) > 0.09)
    }

    @Test func aPhotographWithoutNoiseIsGivenBackWhereItHasTexture() throws {
        var clean = PlanarImage(width: Self.side, height: Self.side, channels: 3, repeating: 0.4)
        for row in 0..<Self.side {
            for column in 128..<Self.side { clean[1, row, column] += column % 3 == 0 ? 0.05 : 0 }
        }
        var denoised = PlanarImage(width: Self.side, height: Self.side, channels: 3, repeating: 0.4)
        DetailReturn(noise: try #require(NoiseProfile(of: clean))).apply(to: &denoised, noisy: clean)
        #expect(zip(denoised.samples, clean.samples).allSatisfy { abs($0 - $1) < 1e-3 })
    }

    /// Left half dark with deviation 2/255, right half bright with 4/255; or with 20/255, which is more than a tone
    /// curve makes of noise and counts as two and a half times the least.
    @Test(arguments: [(4, 16), (20, 25)] as [(Float, Float)])
    func noiseIsMeasuredForEachBrightness(bright: Float, variance: Float) throws {
        var random = RandomSource(seed: 5)
        var image = PlanarImage(width: 1024, height: 512, channels: 1)
        for row in 0..<512 {
            for column in 0..<1024 {
                let (level, deviation): (Float, Float) = column < 512 ? (0.19, 2 / 255) : (0.81, bright / 255)
                image[0, row, column] = level + deviation * random.normal()
            }
        }
        let profile = try #require(NoiseProfile(of: image))
        // The measurement itself is good to about 12 %, a variance therefore to 25 %.
        #expect(abs(profile.variance(at: 0.19) * 255 * 255 - 4) < 1)
        #expect(abs(profile.variance(at: 0.81) * 255 * 255 - variance) < 0.28 * variance)
    }
}
