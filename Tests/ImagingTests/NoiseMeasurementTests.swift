import Foundation
import Imaging
import Testing

@Suite struct NoiseMeasurementTests {
    func taps(blur: Float) -> [Float] {
        let reach = Int((4 * blur).rounded(.up))
        return blur == 0 ? [1] : (-reach...reach).map { exp(-Float($0 * $0) / (2 * blur * blur)) }
    }

    /// Correlation of neighbours in a row of blurred white noise.
    func correlation(blur: Float, lag: Int) -> Double {
        let taps = taps(blur: blur)
        let products = zip(taps, taps.dropFirst(lag)).reduce(0) { $0 + $1.0 * $1.1 }
        return Double(products / taps.reduce(0) { $0 + $1 * $1 })
    }

    /// Normal noise of the given deviation in 1/255, white noise blurred by a Gaussian.
    func noise(width: Int, height: Int, deviation: Float, blur: Float, seed: UInt64) -> [Float] {
        let taps = taps(blur: blur)
        let reach = taps.count / 2
        let norm = taps.reduce(0) { $0 + $1 * $1 }
        let (wide, tall) = (width + 2 * reach, height + 2 * reach)
        var state = seed
        func uniform() -> Float {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (Float(state >> 40) + 0.5) / Float(1 << 24)
        }
        let white = (0..<wide * tall).map { _ in (-2 * log(uniform())).squareRoot() * cos(2 * .pi * uniform()) }
        var across = [Float](repeating: 0, count: width * tall)
        for row in 0..<tall {
            for column in 0..<width {
                for (tap, weight) in taps.enumerated() {
                    across[row * width + column] += weight * white[row * wide + column + tap]
                }
            }
        }
        var result = [Float](repeating: 0, count: width * height)
        for row in 0..<height {
            for column in 0..<width {
                for (tap, weight) in taps.enumerated() {
                    result[row * width + column] += weight * across[(row + tap) * width + column]
                }
                result[row * width + column] *= deviation / 255 / norm
            }
        }
        return result
    }

    /// Grey with a slope, texture on the right two thirds, and noise.
    func photograph(side: Int, deviation: Float, blur: Float, textured: Bool) -> PlanarImage {
        var image = PlanarImage(
            width: side, height: side, channels: 1,
            samples: noise(width: side, height: side, deviation: deviation, blur: blur, seed: 5))
        for row in 0..<side {
            for column in 0..<side {
                let wave = textured && column > side / 3 ? 0.15 * sin(Float(column) * 0.7) * cos(Float(row) * 0.4) : 0
                image[0, row, column] += 0.35 + 0.3 * Float(row + column) / Float(2 * side) + wave
            }
        }
        return image
    }

    @Test(
        "deviation and correlation are those of the noise",
        arguments: [
            (2.0, 0.0), (12.0, 0.0), (3.0, 0.5), (8.0, 0.75), (3.0, 2.0),
        ], [false, true])
    func knownNoise(noise: (deviation: Double, blur: Double), textured: Bool) throws {
        let image = photograph(
            side: 512, deviation: Float(noise.deviation), blur: Float(noise.blur), textured: textured)
        let field = try #require(NoiseMeasurement(of: image)).luma
        // Chosen blocks scatter by a few per cent, the correction is right to within half: 12 % holds both.
        #expect(abs(field.deviation / noise.deviation - 1) < 0.12)
        for lag in 1...4 {
            let expected = correlation(blur: Float(noise.blur), lag: lag)
            // Some 26 blocks of 1024 pixels: standard error 0.01 to 0.03. Quiet and even blocks are less correlated, by
            // up to 0.1 where the noise is coarse.
            #expect(abs(field.correlation(lag: lag) - expected) < (noise.blur < 1 ? 0.06 : 0.12))
            #expect(abs(field.across[lag - 1] - field.down[lag - 1]) < 0.15)
        }
        // Both ways alike, so that the root of both sums is one of them; four errors like those above.
        let smoothness = 1 + 2 * (1...4).reduce(0) { $0 + correlation(blur: Float(noise.blur), lag: $1) }
        #expect(abs(field.smoothness / smoothness - 1) < 0.25)
    }

    /// Correlations of the blurs: 0.37, 0.02; and 0.64, 0.17, 0.02 at distances 1, 2, 3.
    @Test(arguments: [(0.0, 1), (0.5, 2), (0.75, 3)]) func noiseIsIndependentWhereItIsNotCorrelated(
        blur: Double, distance: Int
    ) throws {
        let image = photograph(side: 512, deviation: 8, blur: Float(blur), textured: false)
        let measured = try #require(NoiseMeasurement(of: image))
        #expect(NoiseMeasurement.independentDistance(of: image) == distance)
        // Blurred both ways, so that the diagonal has the product of both correlations.
        let expected = correlation(blur: Float(blur), lag: 1)
        #expect(abs(measured.luma.diagonal[0] - expected * expected) < 0.06)
    }

    /// Waves of 11 pixels everywhere correlate neighbours by a quarter, but not the second differences of the noise on them.
    @Test func textureIsNotTakenForCorrelation() throws {
        let photograph = photograph(side: 384, deviation: 25, blur: 0, textured: true)
        let textured = photograph.cropped(to: Tile(x: 160, y: 0, width: 224, height: 384))
        let measured = try #require(NoiseMeasurement(of: textured))
        #expect(measured.luma.correlation(lag: 1) > 0.1)
        #expect(NoiseMeasurement.independentDistance(of: textured) == 1)
    }

    /// Waves of four pixels everywhere: what the channels do not tell, their differences do.
    @Test func coloursTellTextureFromCorrelation() throws {
        let waves = (0..<384 * 224).map { index -> Float in
            let (across, down) = (Float(index % 224), Float(index / 224))
            return 0.5 + 0.1 * sin(1.6 * across) * cos(1.3 * down)
        }
        func noisy(blur: Float, isGrey: Bool) -> PlanarImage {
            let planes = (0..<3).flatMap { channel in
                let noise = noise(
                    width: 224, height: 384, deviation: 12, blur: blur, seed: isGrey ? 1 : UInt64(channel))
                return zip(waves, noise).map { $0 + $1 }
            }
            return PlanarImage(width: 224, height: 384, channels: 3, samples: planes)
        }
        func distance(_ image: PlanarImage) throws -> Int {
            try #require(NoiseMeasurement.independentDistance(of: image))
        }
        #expect(try distance(noisy(blur: 0, isGrey: false)) == 1)
        #expect(try distance(noisy(blur: 0, isGrey: true)) > 1, "without colour nothing is known")
        #expect(try distance(noisy(blur: 0.5, isGrey: false)) == 2)
    }

    @Test func channelsAreMeasuredApart() throws {
        let deviations: [Float] = [2, 4, 8]
        let planes = deviations.enumerated().flatMap { index, deviation in
            noise(width: 256, height: 256, deviation: deviation, blur: 0, seed: UInt64(index)).map { $0 + 0.5 }
        }
        let measured = try #require(
            NoiseMeasurement(of: PlanarImage(width: 256, height: 256, channels: 3, samples: planes)))
        for (field, deviation) in zip(measured.channels, deviations) {
            // 64 blocks, of which 8 are used: their own scatter adds to that of the correction.
            #expect(abs(field.deviation / Double(deviation) - 1) < 0.12)
        }
        let luma = (0.299 * 0.299 * 4 + 0.587 * 0.587 * 16 + 0.114 * 0.114 * 64).squareRoot()
        #expect(abs(measured.luma.deviation / luma - 1) < 0.12)
    }

    @Test func aSmoothImageHasNoNoise() throws {
        let image = photograph(side: 128, deviation: 0, blur: 0, textured: false)
        let measured = try #require(NoiseMeasurement(of: image))
        // What remains is the rounding of float slopes.
        #expect(measured.luma.deviation < 0.001)
    }

    @Test func tooSmallAndClippedImagesCannotBeMeasured() {
        #expect(NoiseMeasurement(of: PlanarImage(width: 31, height: 500, channels: 3, repeating: 0.5)) == nil)
        #expect(NoiseMeasurement(of: PlanarImage(width: 64, height: 64, channels: 3, repeating: 1)) == nil)
        #expect(NoiseMeasurement(of: PlanarImage(width: 64, height: 64, channels: 1, repeating: .nan)) == nil)
    }

    /// A mesh of thin bright wires everywhere: no block is flat, but its samples lie on one side.
    @Test func aMeshIsHardlyTakenForNoise() throws {
        let side = 192
        var image = PlanarImage(width: side, height: side, channels: 3, repeating: 0.3)
        for row in 0..<side {
            for column in 0..<side where row % 7 == 0 || column % 7 == 0 {
                for channel in 0..<3 { image[channel, row, column] = 0.4 }
            }
        }
        // Its deviation is 11 of 255.
        #expect(try #require(NoiseMeasurement(of: image)).luma.deviation < 5)
    }
}
