import Imaging
import Methods
import Tensors

/// Crops that fit a model to captures, with targets wherever honest ones can be had without a clean photograph.
///
/// Three kinds stand behind `Objective.synthetic`:
/// - a noisy crop against what the model's most careful preset makes of it (distillation to oneself, spec G.2);
/// - the captures' own noise, drawn anew, on what that preset made, at its scale or at half of it, where it is sharp;
/// - noise of cameras at random on the latter, so that what the model could do before is not forgotten.
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
        var distillation: Float = 0.3
        var ownNoise: Float = 0.5
        /// Of the crops with noise drawn anew, how many are at half scale.
        var half: Float = 0.6
    }

    let items: [Item]
    var shares = Shares()

    func sample(for objective: Objective, crop: Int, key: UInt64) throws -> TrainingSample {
        var generator = SeededGenerator(seed: key)
        let item = items[Int(generator.next() % UInt64(items.count))]
        let kind = generator.uniform()
        if objective != .synthetic || kind < shares.distillation {
            let place = Place(in: item.capture.pixels, side: crop, using: &generator)
            let noisy = Tensor(colour: place.crop(of: item.capture.pixels))
            guard objective == .synthetic else { return TrainingSample(noisy: noisy) }
            return TrainingSample(noisy: noisy, clean: Tensor(colour: place.crop(of: item.estimate)))
        }
        let scene = items[Int(generator.next() % UInt64(items.count))]
        let isHalf = generator.chance(shares.half) && min(scene.half.width, scene.half.height) >= crop
        let picture = isHalf ? scene.half : scene.estimate
        let clean = Place(in: picture, side: crop, using: &generator).crop(of: picture)
        guard kind < shares.distillation + shares.ownNoise else {
            let pair = NoiseModel.sampled(using: &generator).pair(from: clean, using: &generator)
            return TrainingSample(noisy: Tensor(colour: pair.noisy), clean: Tensor(colour: pair.clean))
        }
        let noisy = item.capture.noise.added(to: clean, using: &generator)
        return TrainingSample(noisy: Tensor(colour: noisy), clean: Tensor(colour: clean))
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
    /// The picture as this camera would have saved it: at a strength that varies by a quarter, as exposure does, and up
    /// to twice as strong in texture, where cameras hold their noise reduction back.
    func added(to clean: PlanarImage, using generator: inout SeededGenerator) -> PlanarImage {
        var noisy = drawn(on: clean, using: &generator)
        let strength = generator.uniform(0.8...1.25)
        let adaptivity = generator.uniform(0...1)
        let texture = texture(of: clean)
        for p in noisy.samples.indices {
            let factor = strength * (1 + adaptivity * texture[p % texture.count])
            let value = clean.samples[p] + factor * noisy.samples[p]
            noisy.samples[p] = (min(max(value, 0), 1) * 255).rounded() / 255
        }
        return noisy
    }

    /// 0 where the picture is flat, towards 1 where it changes more than its noise.
    private func texture(of clean: PlanarImage) -> [Float] {
        let luma = clean.luma
        var activity = Plane(width: clean.width, height: clean.height)
        for p in luma.indices {
            let right = (p + 1) % clean.width == 0 ? p : p + 1
            let below = p + clean.width < luma.count ? p + clean.width : p
            let (across, down) = (luma[right] - luma[p], luma[below] - luma[p])
            activity.samples[p] = across * across + down * down
        }
        activity = activity.blurred(across: 3, down: 3)
        let threshold = deviation * deviation
        return activity.samples.map { $0 / ($0 + threshold) }
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
