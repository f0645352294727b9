import Foundation
import Methods
import Networks
import Synchronization
import Tensors
import TestSupport

/// A network without weights that works pixel by pixel or on the nearest pixels: what a tile computes in its interior
/// is what the whole image would compute there.
struct LocalNetwork: Network {
    enum Kind: CaseIterable { case identity, blur, left }

    let kind: Kind
    var multiple = 1

    var configuration: NetworkConfiguration { .nafnet(.init(width: 2, encoder: [0], middle: 0, decoder: [0])) }
    var parameters: [Parameter] { [] }
    var multiplicationsPerPixel: Double { 9 }
    var tiling: TileRequirements { TileRequirements(multiple: multiple, overlap: 1, bytesPerPixel: 12) }

    func callAsFunction(_ image: Variable, _ pass: Pass) -> Variable {
        switch kind {
        case .identity: image
        case .blur: depthwise3x3(image, weight: Variable(Tensor([3, 1, 3, 3], repeating: 1 / 9)))
        case .left:
            depthwise3x3(image, weight: Variable(Tensor([3, 1, 3, 3], (0..<27).map { $0 % 9 == 3 ? 1 : 0 })))
        }
    }

    var weights: Weights { Weights(initialising: self, seed: 0) }
}

/// Remembers which pixels it was shown, and answers with ones.
final class RecordingNetwork: Network {
    let seen = Mutex<[[Bool]]>([])

    var configuration: NetworkConfiguration { LocalNetwork(kind: .identity).configuration }
    var parameters: [Parameter] { [] }
    var multiplicationsPerPixel: Double { 0 }
    var tiling: TileRequirements { LocalNetwork(kind: .identity).tiling }

    func callAsFunction(_ image: Variable, _ pass: Pass) -> Variable {
        seen.withLock { $0.append(image.tensor.values.map { $0 != 0 }) }
        return Variable(Tensor(image.tensor.shape, repeating: 1))
    }
}

/// Another network, run with a few images at a time.
struct Parted: Network {
    let network: any Network
    let pixelsKept: Int

    var configuration: NetworkConfiguration { network.configuration }
    var parameters: [Parameter] { network.parameters }
    var multiplicationsPerPixel: Double { network.multiplicationsPerPixel }
    var tiling: TileRequirements { network.tiling }

    func callAsFunction(_ image: Variable, _ pass: Pass) -> Variable { network(image, pass) }
}

enum Toy {
    /// A network small enough for a training step in milliseconds.
    static let network = NAFNetBase(.init(width: 4, encoder: [1], middle: 1, decoder: [1]))

    static var weights: Weights { Weights(initialising: network, seed: 1) }

    /// Uniform in [0, 1).
    static func image(_ height: Int, _ width: Int, seed: UInt64) -> Tensor {
        var random = RandomSource(seed: seed)
        return Tensor([3, 1, height, width], (0..<3 * height * width).map { _ in random.uniform() })
    }
}

/// Ramps of random direction, with and without noise.
struct RampSource: TrainingSource {
    func sample(for objective: Objective, crop: Int, key: UInt64) throws -> TrainingSample {
        var random = RandomSource(seed: key)
        let (down, right, level) = (random.uniform() - 0.5, random.uniform() - 0.5, 0.5 * random.uniform() + 0.25)
        var clean: [Float] = [], noisy: [Float] = []
        for _ in 0..<3 {
            for row in 0..<crop {
                for column in 0..<crop {
                    let value = level + 0.5 * (down * Float(row) + right * Float(column)) / Float(crop)
                    clean.append(value)
                    noisy.append(value + 0.05 * random.normal())
                }
            }
        }
        let shape = [3, 1, crop, crop]
        return TrainingSample(noisy: Tensor(shape, noisy), clean: Tensor(shape, clean))
    }
}

extension Weights {
    /// Every value's bits, by name.
    var bits: [String: [UInt32]] { tensors.mapValues { $0.values.map(\.bitPattern) } }
}

/// PyTorch's results, made by Tests/Fixtures/Networks/make.py.
func golden(_ name: String) throws -> Safetensors {
    try Safetensors(Fixtures.data("Networks/\(name).safetensors"))
}
