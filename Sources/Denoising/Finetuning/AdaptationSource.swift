import Imaging
import Methods
import Tensors

/// Crops that fit a model to captures, with targets wherever honest ones can be had without a clean photograph.
///
/// Three kinds stand behind `Objective.synthetic`:
/// - a noisy crop against what the model's most careful preset makes of it (distillation to oneself, spec G.2);
/// - the captures' own noise, drawn anew, on what that preset made, at its scale or at half of it, where it is sharp;
/// - noise of cameras at random on clean photographs of the package, so that what the model could do before is not
///   forgotten.
///
/// Stages B and P see the noisy captures alone.
struct AdaptationSource: TrainingSource {
    /// A capture and what the most careful preset of the model before makes of it.
    struct Item: Sendable {
        let capture: Capture
        let estimate: PlanarImage
        let half: PlanarImage

        init(_ capture: Capture, estimate: PlanarImage) {
            self.capture = capture
            self.estimate = estimate
            half = estimate.halved
        }
    }

    /// How often each kind is drawn; the rest is noise of other cameras.
    struct Shares: Sendable {
        var distillation: Float = 0.15
        var ownNoise: Float = 0.55
        /// Of the crops with noise drawn anew, how many are at half scale.
        var half: Float = 0.5
    }

    let items: [Item]
    let rehearsal: RehearsalSet
    let shares: Shares
    /// The captures' noise, of those where it is noise.
    private let noises: [CaptureNoise]

    init(items: [Item], rehearsal: RehearsalSet, shares: Shares = Shares()) {
        self.items = items
        self.rehearsal = rehearsal
        self.shares = shares
        let measured = items.map { NoiseCredibility.share(of: $0.capture, beside: $0.estimate) }
        let credibility = NoiseCredibility(measured)
        noises = zip(items, measured).filter { credibility.believes($0.1) }.map(\.0.capture.noise)
    }

    func sample(for objective: Objective, crop: Int, key: UInt64) throws -> TrainingSample {
        var generator = SeededGenerator(seed: key)
        let item = items.element(using: &generator)
        let kind = generator.uniform()
        if objective != .synthetic || kind < shares.distillation {
            let place = Place(in: item.capture.pixels, side: crop, using: &generator)
            let noisy = Tensor(colour: place.crop(of: item.capture.pixels))
            guard objective == .synthetic else { return TrainingSample(noisy: noisy) }
            return TrainingSample(noisy: noisy, clean: Tensor(colour: place.crop(of: item.estimate)))
        }
        let isOwn = kind < shares.distillation + shares.ownNoise
        let picture = isOwn ? scene(crop, using: &generator) : rehearsal.pictures.element(using: &generator)
        let clean = Place(in: picture, side: crop, using: &generator).crop(of: picture)
        guard isOwn else {
            let pair = NoiseModel.sampled(using: &generator).pair(from: clean, using: &generator)
            return TrainingSample(noisy: Tensor(colour: pair.noisy), clean: Tensor(colour: pair.clean))
        }
        let noisy = noises.element(using: &generator).added(to: clean, using: &generator)
        return TrainingSample(noisy: Tensor(colour: noisy), clean: Tensor(colour: clean))
    }

    /// What the most careful preset made of any of the captures, halved at random where crops still fit in.
    private func scene(_ crop: Int, using generator: inout SeededGenerator) -> PlanarImage {
        let item = items.element(using: &generator)
        let isHalf = generator.chance(shares.half) && min(item.half.width, item.half.height) >= crop
        return isHalf ? item.half : item.estimate
    }

    /// A square of a picture, mirrored at random.
    private struct Place {
        let tile: Tile
        let isMirrored: Bool

        init(in picture: PlanarImage, side: Int, using generator: inout SeededGenerator) {
            tile = Tile(
                x: Int(generator.next() % UInt64(picture.width - side + 1)),
                y: Int(generator.next() % UInt64(picture.height - side + 1)), width: side, height: side)
            isMirrored = generator.chance(0.5)
        }

        func crop(of picture: PlanarImage) -> PlanarImage {
            let crop = picture.cropped(to: tile)
            return isMirrored ? crop.mirrored : crop
        }
    }
}

extension CaptureNoise {
    /// The picture as this camera would have saved it: at a strength that varies by a quarter, as exposure does, and with
    /// more of it in texture, as cameras have it.
    func added(to clean: PlanarImage, using generator: inout SeededGenerator) -> PlanarImage {
        let strength = generator.uniform(0.8...1.25)
        let adaptivity = NoiseAdaptivity.sampled(using: &generator)
        var noisy = drawn(on: clean, adaptivity, using: &generator)
        for p in noisy.samples.indices {
            let value = clean.samples[p] + strength * noisy.samples[p]
            noisy.samples[p] = (min(max(value, 0), 1) * 255).rounded() / 255
        }
        return noisy
    }
}

extension Array {
    /// One of them; which one must not change with the standard library.
    fileprivate func element(using generator: inout SeededGenerator) -> Element {
        self[Int(generator.next() % UInt64(count))]
    }
}

extension PlanarImage {
    /// Left and right exchanged.
    var mirrored: PlanarImage {
        var result = self
        for row in 0..<channels * height {
            result.samples[row * width..<(row + 1) * width].reverse()
        }
        return result
    }
}
