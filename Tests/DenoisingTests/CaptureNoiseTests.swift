@testable import Denoising
import Foundation
import Imaging
import Tensors
import Testing

@Suite struct CaptureNoiseTests {
    @Test(arguments: [2, 4, 16]) func theTransformIsTheSumThatDefinesIt(side: Int) {
        var random = RandomSource(seed: 1)
        let (a, b) = ((0..<side * side).map { _ in random.normal() }, (0..<side * side).map { _ in random.normal() })
        var (real, imaginary) = (a, b)
        FourierTransform(side: side).transform(&real, &imaginary)
        for v in 0..<side {
            for u in 0..<side {
                var (x, y) = (0.0, 0.0)
                for row in 0..<side {
                    for column in 0..<side {
                        let angle = -2 * Double.pi * Double(row * v + column * u) / Double(side)
                        let (p, q) = (Double(a[row * side + column]), Double(b[row * side + column]))
                        x += p * cos(angle) - q * sin(angle)
                        y += p * sin(angle) + q * cos(angle)
                    }
                }
                // Sums of 256 single-precision terms of size 1.
                #expect(abs(Double(real[v * side + u]) - x) < 1e-3)
                #expect(abs(Double(imaginary[v * side + u]) - y) < 1e-3)
            }
        }
    }

    private func deviation(_ image: PlanarImage, channel: Int) -> Double {
        let plane = image.width * image.height
        let values = image.samples[channel * plane..<(channel + 1) * plane]
        return 255 * (values.reduce(0.0) { $0 + Double($1 * $1) } / Double(plane)).squareRoot()
    }

    private func correlation(_ image: PlanarImage, channel: Int, lag: Int) -> Double {
        var (cross, square) = (0.0, 0.0)
        for row in 0..<image.height {
            for column in 0..<image.width - lag {
                let (a, b) = (image[channel, row, column], image[channel, row, column + lag])
                cross += Double(a * b)
                square += Double(a * a)
            }
        }
        return cross / square
    }

    /// Measured noise is known to within 12 %, and what is drawn from it scatters a little more.
    @Test(arguments: [4, 8, 15]) func freshIndependentNoiseIsAsStrongAsTheCaptures(deviation: Int) throws {
        let (capture, clean) = try Scenes.capture(3, deviation: Float(deviation))
        var generator = SeededGenerator(seed: 9)
        let drawn = capture.noise.drawn(on: clean, using: &generator)
        for channel in 0..<3 {
            #expect(abs(self.deviation(drawn, channel: channel) / Double(deviation) - 1) < 0.25)
            #expect(abs(correlation(drawn, channel: channel, lag: 1)) < 0.1)
        }
    }

    /// A camera model's noise: correlated, and different in luma and colour.
    @Test func freshNoiseOfACameraHasItsCorrelations() throws {
        var model = NoiseModel()
        model.shotGain = 3e-3
        model.readDeviation = 0.01
        model.blurAcross = 0.8
        model.blurDown = 0.8
        model.isEightBit = false
        let clean = Scenes.clean(5, width: 384, height: 384)
        var generator = SeededGenerator(seed: 3)
        let pair = model.pair(from: clean, using: &generator)
        let noise = try #require(CaptureNoise(of: pair.noisy))
        let drawn = noise.drawn(on: clean, using: &generator)
        var truth = pair.noisy
        for p in truth.samples.indices { truth.samples[p] -= pair.clean.samples[p] }
        for channel in 0..<3 {
            #expect(abs(deviation(drawn, channel: channel) / deviation(truth, channel: channel) - 1) < 0.3)
            for lag in 1...3 {
                let difference =
                    correlation(drawn, channel: channel, lag: lag)
                    - correlation(truth, channel: channel, lag: lag)
                #expect(abs(difference) < 0.15, "channel \(channel), lag \(lag)")
            }
        }
    }

    /// The left half is flat, the right half has so much texture that all of the adaptivity counts.
    @Test func textureGetsStrongerAndWhiterNoise() throws {
        var model = NoiseModel()
        model.shotGain = 3e-3
        model.blurAcross = 0.8
        model.blurDown = 0.8
        var generator = SeededGenerator(seed: 3)
        let pair = model.pair(from: Scenes.clean(5, width: 384, height: 384), using: &generator)
        let noise = try #require(CaptureNoise(of: pair.noisy))
        let side = 256
        var picture = PlanarImage(width: side, height: side, channels: 3, repeating: 0.5)
        for channel in 0..<3 {
            for row in 0..<side {
                for column in side / 2..<side where (row + column) % 2 == 0 { picture[channel, row, column] = 0.2 }
            }
        }
        var adaptivity = NoiseAdaptivity()
        adaptivity.luma = 1
        adaptivity.chroma = 3
        adaptivity.whitening = 1
        var generators = [SeededGenerator(seed: 1), SeededGenerator(seed: 1)]
        let plain = noise.drawn(on: picture, using: &generators[0])
        let adapted = noise.drawn(on: picture, adaptivity, using: &generators[1])
        func half(_ image: PlanarImage, _ x: Int) -> PlanarImage {
            // Texture is blurred a little: the border between the halves belongs to neither.
            image.cropped(to: Tile(x: x, y: 0, width: 112, height: side))
        }
        #expect(half(adapted, 0) == half(plain, 0))
        let (before, after) = (half(plain, 144), half(adapted, 144))
        func luma(_ image: PlanarImage) -> PlanarImage {
            PlanarImage(width: image.width, height: image.height, channels: 1, samples: image.luma)
        }
        func red(_ image: PlanarImage) -> PlanarImage {
            let luma = image.luma
            return PlanarImage(
                width: image.width, height: image.height, channels: 1,
                samples: luma.indices.map { image.samples[$0] - luma[$0] })
        }
        // Two fields, and 112 columns of them.
        #expect(abs(deviation(luma(after), channel: 0) / deviation(luma(before), channel: 0) - 2) < 0.3)
        #expect(deviation(red(after), channel: 0) / deviation(red(before), channel: 0) > 3)
        let correlations = [before, after].map { correlation(luma($0), channel: 0, lag: 1) }
        #expect(correlations[1] > 0 && correlations[1] < 0.75 * correlations[0])
    }

    @Test func theSameStateDrawsTheSameNoise() throws {
        let (capture, clean) = try Scenes.capture(3)
        var generators = [SeededGenerator(seed: 1), SeededGenerator(seed: 1), SeededGenerator(seed: 2)]
        let drawn = generators.indices.map { capture.noise.drawn(on: clean, using: &generators[$0]) }
        #expect(drawn[0] == drawn[1])
        #expect(drawn[0] != drawn[2])
    }
}

@Suite struct CaptureTests {
    private func fault(_ image: PlanarImage) -> String? {
        do {
            _ = try Capture(PixelBuffer(interleaving: image), name: "it", hash: "", seed: 1)
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test func whatTeachesNothingIsRefusedByName() {
        let clean = Scenes.clean(1)
        let noisy = Scenes.noisy(clean, deviation: 8, seed: 1)
        #expect(fault(noisy) == nil)
        #expect(fault(clean) == "it: it has no noise to learn from")
        #expect(fault(PlanarImage(width: 200, height: 200, channels: 3, repeating: 0.4)) != nil)
        var shuffled = noisy
        var random = RandomSource(seed: 4)
        let plane = noisy.width * noisy.height
        for p in (1..<plane).reversed() {
            let q = random.index(below: p + 1)
            for channel in 0..<3 { shuffled.samples.swapAt(channel * plane + p, channel * plane + q) }
        }
        #expect(fault(shuffled) == "it: there is no picture below its noise")
        #expect(fault(Scenes.noisy(Scenes.clean(1, width: 100, height: 300), deviation: 8, seed: 1)) != nil)
    }

    @Test(arguments: [1, 5, 8, 40]) func atLeastOneCaptureInFiveIsHeldOut(count: Int) throws {
        let (first, _) = try Scenes.capture(1)
        var random = RandomSource(seed: 8)
        let captures = (0..<count).map { _ in
            let hash = (0..<4).map { _ in
                String(random.next(), radix: 16).padding(toLength: 16, withPad: "7", startingAt: 0)
            }
            return Capture(name: "", hash: hash.joined(), pixels: first.pixels, noise: first.noise)
        }
        let set = CaptureSet(captures)
        #expect(set.count == count)
        #expect(set.heldOut.count * 5 >= count)
        let again = CaptureSet(captures.reversed() + captures)
        #expect(again.heldOut.map(\.hash) == set.heldOut.map(\.hash))
        #expect(again.training.map(\.hash) == set.training.map(\.hash))
        #expect(again.digest == set.digest)
    }
}
