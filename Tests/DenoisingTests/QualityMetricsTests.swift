import Denoising
import Imaging
import Testing

@Suite struct QualityMetricsTests {
    /// The generator of Tests/Fixtures/Quality/expected.py.
    func uniform(_ count: Int, state: UInt32) -> [Float] {
        var state = state
        return (0..<count).map { _ in
            state = state &* 1_664_525 &+ 1_013_904_223
            return Float(state >> 8) / Float(1 << 24)
        }
    }

    func pair(_ width: Int, _ height: Int, _ channels: Int) -> (clean: PlanarImage, noisy: PlanarImage) {
        let count = width * height * channels
        let clean = uniform(count, state: 1)
        let noisy = zip(clean, uniform(count, state: 2)).map { $0 * 1.25 + $1 * 0.25 - 0.25 }
        return (
            PlanarImage(width: width, height: height, channels: channels, samples: clean),
            PlanarImage(width: width, height: height, channels: channels, samples: noisy)
        )
    }

    @Test(
        "PSNR and SSIM are those of the definitions",
        arguments: [
            (37, 23, 3, 21.617826022419, 0.963657361941),
            (11, 11, 1, 22.012956281724, 0.967712748473),
            (64, 40, 1, 21.614249721624, 0.964491779932),
        ])
    func definitions(width: Int, height: Int, channels: Int, psnr: Double, ssim: Double) throws {
        let (clean, noisy) = pair(width, height, channels)
        // The same integers in double precision: only the order of sums and the printed digits differ.
        #expect(abs(try QualityMetrics.psnr(noisy, clean) - psnr) < 1e-10)
        #expect(abs(try QualityMetrics.ssim(noisy, clean) - ssim) < 1e-10)
    }

    @Test func halvesAreRoundedToTheEvenLevel() throws {
        let halves = PlanarImage(width: 2, height: 1, channels: 1, samples: [2.5 / 255, 3.5 / 255])
        let even = PlanarImage(width: 2, height: 1, channels: 1, samples: [2 / 255, 4 / 255])
        #expect(try QualityMetrics.psnr(halves, even) == .infinity)
    }

    @Test func equalImagesAreInfinitelyGoodAndFullySimilar() throws {
        let (clean, _) = pair(20, 20, 3)
        #expect(try QualityMetrics.psnr(clean, clean) == .infinity)
        // Numerator and denominator are the same products in another order.
        #expect(abs(try QualityMetrics.ssim(clean, clean) - 1) < 1e-12)
    }

    @Test func imagesOfDifferentOrTooSmallSizeAreErrors() {
        let small = PlanarImage(width: 10, height: 30, channels: 1)
        #expect(throws: QualityError.sizesDiffer("10×30×1", "30×10×1")) {
            try QualityMetrics.psnr(small, PlanarImage(width: 30, height: 10, channels: 1))
        }
        #expect(throws: QualityError.tooSmall(width: 10, height: 30)) { try QualityMetrics.ssim(small, small) }
    }
}
