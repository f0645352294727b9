@testable import Denoising
import Imaging
import Methods
import Tensors
import Testing

@Suite struct AdaptationSourceTests {
    private func source(_ shares: AdaptationSource.Shares) throws -> AdaptationSource {
        let items = try [41, 43].map { seed in
            let (capture, clean) = try Scenes.capture(UInt64(seed))
            return AdaptationSource.Item(capture, estimate: clean)
        }
        return AdaptationSource(items: items, rehearsal: Scenes.rehearsal, shares: shares)
    }

    private func isCrop(_ crop: Tensor, of pictures: [PlanarImage]) -> Bool {
        let first = Array(crop.values.prefix(16))
        return pictures.flatMap { [$0, $0.mirrored] }.contains { picture in
            (0...picture.samples.count - 16).contains { picture.samples[$0..<$0 + 16].elementsEqual(first) }
        }
    }

    /// Root mean square of what the noisy side has more than the clean one, in units of 1/255.
    private func deviation(_ samples: [TrainingSample]) throws -> Float {
        var (sum, count) = (Float(0), 0)
        for sample in samples {
            let clean = try #require(sample.clean).values
            for (a, b) in zip(sample.noisy.values, clean) { sum += (a - b) * (a - b) }
            count += clean.count
        }
        return 255 * (sum / Float(count)).squareRoot()
    }

    @Test func theCapturesNoiseFallsAnewOnTheirOwnPictures() throws {
        let source = try source(.init(distillation: 0, ownNoise: 1, half: 0))
        let samples = try (0..<24).map { try source.sample(for: .synthetic, crop: 64, key: $0) }
        for sample in samples.prefix(4) {
            #expect(isCrop(try #require(sample.clean), of: source.items.map(\.estimate)))
        }
        // The captures' noise is 8; it is drawn at 0.8 to 1.25 times that, in texture at up to three times.
        #expect((6...18).contains(try deviation(samples)))
    }

    /// A capture of which 18 were measured, and next to nothing taken away, beside two of 8.
    @Test func textureThatWasMeasuredIsNotDrawn() throws {
        let (wall, _) = try Scenes.capture(45, deviation: 18)
        let known = try source(.init(distillation: 0, ownNoise: 1, half: 0))
        let source = AdaptationSource(
            items: known.items + [.init(wall, estimate: wall.pixels)], rehearsal: known.rehearsal, shares: known.shares)
        let samples = try (0..<48).map { try source.sample(for: .synthetic, crop: 64, key: $0) }
        let pictures = known.items.map(\.estimate)
        // On smooth pictures alone: noise grows in texture, which the wall has.
        let smooth = try samples.filter { isCrop(try #require($0.clean), of: pictures) }
        let others = try (0..<48).map { try known.sample(for: .synthetic, crop: 64, key: $0) }
        // A third of 18 would make half more of it.
        #expect(try deviation(smooth) < 1.25 * deviation(others))
        #expect(try samples.contains { isCrop(try #require($0.clean), of: [wall.pixels]) })
    }

    @Test func otherCamerasFallOnCleanPhotographsAlone() throws {
        let source = try source(.init(distillation: 0, ownNoise: 0))
        let strengths = try (0..<12).map { try deviation([source.sample(for: .synthetic, crop: 64, key: $0)]) }
        #expect(Set(strengths).count == strengths.count)
    }

    @Test func capturesAreTheirOwnTeachers() throws {
        let source = try source(.init(distillation: 1, ownNoise: 0))
        let sample = try source.sample(for: .synthetic, crop: 64, key: 3)
        #expect(isCrop(try #require(sample.clean), of: source.items.map(\.estimate)))
        #expect(isCrop(sample.noisy, of: source.items.map(\.capture.pixels)))
    }

    @Test(arguments: [Objective.masked, .transfer]) func stagesBAndPSeeCapturesAlone(_ objective: Objective) throws {
        let source = try source(.init())
        for key in 0..<8 {
            let sample = try source.sample(for: objective, crop: 64, key: UInt64(key))
            #expect(sample.clean == nil)
            #expect(isCrop(sample.noisy, of: source.items.map(\.capture.pixels)))
        }
    }

    @Test func thePackageHoldsItsRehearsal() throws {
        let pictures = try RehearsalSet.shipped().pictures
        #expect(pictures.count == 48)
        #expect(pictures.allSatisfy { $0.width == 192 && $0.height == 192 && $0.channels == 3 })
    }
}
