import Denoising
import Imaging
import Testing

@Suite struct SynthesisTests {
    /// Waves of different colour that stay inside [0.1, 0.9].
    func photograph(width: Int, height: Int) -> PlanarImage {
        var image = PlanarImage(width: width, height: height, channels: 3)
        for channel in 0..<3 {
            for row in 0..<height {
                for column in 0..<width {
                    let phase = (row * (3 + channel) + column * (5 - channel)) % 64
                    image[channel, row, column] = 0.1 + 0.8 * Float(abs(phase - 32)) / 32
                }
            }
        }
        return image
    }

    func grey(_ value: Float, side: Int) -> PlanarImage {
        PlanarImage(width: side, height: side, channels: 3, repeating: value)
    }

    /// Noise of a pair, as luma in 1/255 with its mean removed, or as blue minus luma.
    func noise(of pair: NoisePair, chroma: Bool = false) -> [Double] {
        let plane = pair.clean.width * pair.clean.height
        let difference = zip(pair.noisy.samples, pair.clean.samples).map { 255 * (Double($0) - Double($1)) }
        let values = (0..<plane).map { index in
            let (red, green, blue) = (difference[index], difference[plane + index], difference[2 * plane + index])
            let luma = 0.299 * red + 0.587 * green + 0.114 * blue
            return chroma ? blue - luma : luma
        }
        let mean = values.reduce(0, +) / Double(plane)
        return values.map { $0 - mean }
    }

    func variance(_ values: [Double]) -> Double { values.reduce(0) { $0 + $1 * $1 } / Double(values.count) }

    /// Correlation of pixels `lag` columns apart.
    func correlation(_ values: [Double], width: Int, lag: Int) -> Double {
        var sum = 0.0
        for row in 0..<values.count / width {
            for column in 0..<width - lag { sum += values[row * width + column] * values[row * width + column + lag] }
        }
        return sum / Double(values.count / width * (width - lag)) / variance(values)
    }

    @Test func theSameSeedGivesTheSamePairAndAnotherSeedAnother() {
        func noisy(seed: UInt64) -> PlanarImage {
            var generator = SeededGenerator(seed: seed)
            let model = NoiseModel.sampled(using: &generator)
            return model.pair(from: photograph(width: 40, height: 24), using: &generator).noisy
        }
        #expect(noisy(seed: 3) == noisy(seed: 3))
        #expect(noisy(seed: 3) != noisy(seed: 4))
    }

    @Test("pairs of any size lie in [0, 1]", arguments: [(1, 1), (1, 17), (2, 3), (31, 18), (50, 50)])
    func sizes(width: Int, height: Int) {
        for seed in 0..<16 {
            var generator = SeededGenerator(seed: UInt64(seed))
            let pair = NoiseModel.sampled(using: &generator)
                .pair(from: photograph(width: width, height: height), using: &generator)
            for image in [pair.clean, pair.noisy] {
                #expect(image.width == width && image.height == height && image.channels == 3)
                #expect(image.samples.allSatisfy { $0 >= 0 && $0 <= 1 })
            }
        }
    }

    @Test func withoutNoiseThePairIsEqual() {
        var model = NoiseModel()
        model.shotGain = 0
        model.readDeviation = 0
        model.isEightBit = false
        var generator = SeededGenerator(seed: 1)
        let image = photograph(width: 33, height: 20)
        let pair = model.pair(from: image, using: &generator)
        #expect(pair.clean == image)
        #expect(pair.noisy == pair.clean)
    }

    @Test("a better JPEG is closer", arguments: [false, true])
    func jpeg(halvesChroma: Bool) {
        var model = NoiseModel()
        model.shotGain = 0
        model.readDeviation = 0
        let errors = [50, 75, 92, 100].map { quality -> Double in
            model.jpeg = JPEGQuantisation(quality: quality, halvesChroma: halvesChroma)
            var generator = SeededGenerator(seed: 1)
            let pair = model.pair(from: photograph(width: 64, height: 48), using: &generator)
            return variance(noise(of: pair)).squareRoot()
        }
        #expect(errors == errors.sorted(by: >))
        // Steps of 1 in 8 × 8 orthonormal coefficients and rounding to 8 bits: two errors of at most √(1/12) each.
        #expect(errors[3] < 0.5)
        #expect(errors[0] > 1)
    }

    @Test func shotNoiseOfAPlainSensorHasItsVariance() {
        var model = NoiseModel()
        model.shotGain = 1e-4
        model.readDeviation = 0
        model.whiteBalance = [1, 1, 1]
        model.demosaicing = .none
        model.isEightBit = false
        var generator = SeededGenerator(seed: 2)
        let pair = model.pair(from: grey(0.5, side: 128), using: &generator)
        let plane = 128 * 128
        let green = (plane..<2 * plane).map { 255 * (Double(pair.noisy.samples[$0]) - 0.5) }
        // Linear light of 0.5 is 0.2140, and the sRGB curve has slope 1.0801 there.
        let expected = 255 * 1.0801 * (1e-4 * 0.2140).squareRoot()
        // 16,384 independent samples: standard error 0.6 %.
        #expect(abs(variance(green).squareRoot() / expected - 1) < 0.03)
        #expect(abs(correlation(green, width: 128, lag: 1)) < 0.03)
    }

    @Test("demosaicing correlates neighbours", arguments: [Demosaicing.bilinear, .gradientCorrected])
    func demosaicing(kind: Demosaicing) {
        var model = NoiseModel()
        model.demosaicing = kind
        model.isEightBit = false
        var generator = SeededGenerator(seed: 2)
        let pair = model.pair(from: grey(0.5, side: 96), using: &generator)
        let values = noise(of: pair, chroma: true)
        // Two thirds and more of the samples are interpolated from the same neighbours.
        #expect(correlation(values, width: 96, lag: 1) > 0.3)
    }

    @Test func theRequestedDeviationIsReachedOnFlatGrey() {
        for seed in 0..<10 {
            var generator = SeededGenerator(seed: UInt64(seed))
            var model = NoiseModel.sampled(deviation: 4 / 255, using: &generator)
            model.jpeg = nil
            model.isEightBit = false
            let pair = model.pair(from: grey(0.45, side: 96), using: &generator)
            // Calibrated on 64 × 64 correlated samples: 8 % in the worst case, and as much for this measurement.
            #expect(abs(variance(noise(of: pair)).squareRoot() / 4 - 1) < 0.2)
        }
    }

    /// The left half is flat, the right half has waves that are far stronger than the noise.
    @Test("texture has more noise", arguments: [false, true]) func textureHasMoreNoise(isColour: Bool) {
        let side = 128
        var image = grey(0.45, side: side)
        for index in image.samples.indices where index % side >= side / 2 {
            image.samples[index] += 0.2 * (index % 2 == 0 ? 1 : -1)
        }
        func ratio(_ change: (inout NoiseModel) -> Void) -> Double {
            var model = NoiseModel()
            model.shotGain = 0
            model.lumaGains = [0.5, 0.5]
            model.chromaGains = [0.25, 0.25]
            model.isEightBit = false
            change(&model)
            var generator = SeededGenerator(seed: 3)
            let values = noise(of: model.pair(from: image, using: &generator), chroma: isColour)
            func deviation(_ columns: Range<Int>) -> Double {
                variance(values.indices.filter { columns.contains($0 % side) }.map { values[$0] }).squareRoot()
            }
            return deviation(side / 2 + 12..<side) / deviation(0..<side / 2 - 12)
        }
        // The tone curve is steeper in the dark waves.
        let alike = ratio { _ in }
        #expect((1...1.6).contains(alike))
        #expect(abs(ratio { $0.textureGain = 1 } / alike - 2) < 0.1)
        // Luma's gains become 1, those of chroma the square root of 0.25.
        #expect(abs(ratio { $0.adaptivity = 1 } / alike - (isColour ? 1 : 2)) < 0.1)
        #expect(abs(ratio { $0.chromaAdaptivity = 0.5 } / alike - (isColour ? 2 : 1)) < 0.1)
    }

    @Test func theDistributionHoldsTheNoiseOfRealCameras() {
        var lags: [Double] = []
        var blotches: [Double] = []
        var deviations: [Double] = []
        for seed in 0..<160 {
            var generator = SeededGenerator(seed: UInt64(seed))
            let pair = NoiseModel.sampled(using: &generator).pair(from: grey(0.45, side: 64), using: &generator)
            let (luma, chroma) = (noise(of: pair), noise(of: pair, chroma: true))
            // Of the least noise, eight bits may keep nothing.
            if variance(luma) == 0 || variance(chroma) == 0 { continue }
            deviations.append(variance(luma).squareRoot())
            lags.append(correlation(luma, width: 64, lag: 1))
            blotches.append(correlation(chroma, width: 64, lag: 8))
        }
        func quantile(_ values: [Double], _ share: Double) -> Double {
            values.sorted()[Int(share * Double(values.count - 1))]
        }
        #expect(lags.count > 140)
        // Flat areas of system cameras, 5 % to 95 %: luma deviation 1.3 to 3.6, its lag 1 0.44 to 0.70; chroma's lag 8
        // 0.12 to 0.63.
        #expect(quantile(deviations, 0.1) < 1.3 && quantile(deviations, 0.9) > 3.6)
        #expect(quantile(lags, 0.1) < 0.44 && quantile(lags, 0.9) > 0.70)
        #expect((0.45...0.75).contains(quantile(lags, 0.5)))
        #expect(quantile(blotches, 0.1) < 0.12 && quantile(blotches, 0.95) > 0.5)
    }
}
