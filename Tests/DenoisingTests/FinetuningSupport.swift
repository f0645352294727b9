@testable import Denoising
import Foundation
import Imaging
import Methods
import Networks
import SystemPackage
import Tensors

/// Small photographs with known noise, and what fine-tuning makes of them.
enum Scenes {
    /// Soft hills of colour: most of it is flat, as in a photograph.
    static func clean(_ seed: UInt64, width: Int = 192, height: Int = 192) -> PlanarImage {
        var random = RandomSource(seed: seed)
        let waves = (0..<6).map { _ in (0..<4).map { _ in random.uniform() } }
        var image = PlanarImage(width: width, height: height, channels: 3)
        for channel in 0..<3 {
            for row in 0..<height {
                for column in 0..<width {
                    let value = waves.enumerated().reduce(Float(0.5)) { sum, wave in
                        let (index, w) = (wave.offset, wave.element)
                        let phase = Float(column) * w[0] / 40 + Float(row) * w[1] / 40 + 6 * w[2]
                        return sum + 0.1 * sinf(phase + Float(channel * index) * w[3] / 3)
                    }
                    image[channel, row, column] = min(max(value, 0.03), 0.97)
                }
            }
        }
        return image
    }

    /// Independent noise of one deviation, in units of 1/255.
    static func noisy(_ clean: PlanarImage, deviation: Float, seed: UInt64) -> PlanarImage {
        var random = RandomSource(seed: seed)
        var image = clean
        for p in image.samples.indices {
            image.samples[p] = min(max(image.samples[p] + deviation / 255 * random.normal(), 0), 1)
        }
        return image
    }

    static func capture(_ seed: UInt64, deviation: Float = 8) throws -> (capture: Capture, clean: PlanarImage) {
        let clean = clean(seed)
        let pixels = PixelBuffer(interleaving: noisy(clean, deviation: deviation, seed: seed &+ 100))
        let hash = String(repeating: "0123456789abcdef".map(String.init)[Int(seed % 16)], count: 64)
        return (try Capture(pixels, name: "scene \(seed)", hash: hash, seed: seed), clean)
    }

    /// A set of eight captures, and their pinned set.
    static func set(deviation: Float = 8) throws -> CaptureSet {
        CaptureSet(try (1...8).map { try capture(UInt64($0 * 2 - 1), deviation: deviation).capture })
    }

    static let rehearsal = RehearsalSet(atlas: clean(78, width: 384, height: 192), side: 192)
    static let pinned = PinnedSet(clean: clean(77, width: 256, height: 128))

    /// A model that takes the mean of a pixel's neighbours, and tints what it finds.
    static func tinted(in folder: FilePath) throws -> Model {
        var weights = Weights(initialising: Small.network, seed: 3)
        weights.tensors["ending.weight"] = weights.tensors["ending.weight"].map { Tensor($0.shape) }
        weights.tensors["ending.bias"] = Tensor([3], [0.02, -0.02, 0.02])
        let path = folder.appending("tinted.safetensors")
        try Model.write(
            weights, of: Small.network, metadata: ["hidden_pixels": "neighbours", "stride": "1"], to: path)
        return try Model(contentsOf: path)
    }

    /// The small network with an output that is scaled: more than it should do is as bad as less.
    static func model(_ scale: Float, in folder: FilePath, name: String = "base") throws -> Model {
        var weights = Weights(initialising: Small.network, seed: 3)
        for name in ["ending.weight", "ending.bias"] {
            guard let tensor = weights.tensors[name] else { continue }
            weights.tensors[name] = Tensor(tensor.shape, tensor.values.map { $0 * scale })
        }
        let path = folder.appending("\(name).safetensors")
        try Model.write(
            weights, of: Small.network, metadata: ["hidden_pixels": "neighbours", "stride": "1"], to: path)
        return try Model(contentsOf: path)
    }
}
