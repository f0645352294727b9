import Foundation
import Imaging

/// The noise of a capture as it was: what the model took away from it, to be laid on other pictures block by block, each
/// time from a place of like brightness and texture.
///
/// Noise drawn from measured figures (`CaptureNoise`) is Gaussian and of one kind on all flat areas, of one kind in all
/// texture; what was really there shows how the camera, and the file's compression, treat each place.
struct RemovedNoise: Sendable {
    private let capture: PlanarImage
    private let estimate: PlanarImage
    private let blocks: [Block]

    private static let side = 40
    /// Distance between the blocks that may be taken.
    private static let step = 8
    /// Blocks of which the likest is taken: with more, few places would serve again and again.
    private static let candidates = 24

    /// - Parameters:
    ///   - capture: three channels in [0, 1], at least 40 pixels to each side.
    ///   - estimate: the same without its noise.
    init(of capture: PlanarImage, estimate: PlanarImage) {
        self.capture = capture
        self.estimate = estimate
        let luma = estimate.luma
        blocks = stride(from: 0, through: estimate.height - Self.side, by: Self.step).flatMap { y in
            stride(from: 0, through: estimate.width - Self.side, by: Self.step).map { x in
                let tile = Tile(x: x, y: y, width: Self.side, height: Self.side)
                return Block(tile: tile, character: Character(of: luma, width: estimate.width, in: tile))
            }
        }
    }

    /// The picture with this noise, at a strength that varies as exposure does and with either sign, saved at 8 bits.
    func added(to clean: PlanarImage, using generator: inout SeededGenerator) -> PlanarImage {
        let strength = generator.uniform(0.85...1.2) * (generator.chance(0.5) ? 1 : -1)
        let luma = clean.luma
        var noisy = clean
        for y in stride(from: 0, to: clean.height, by: Self.side) {
            for x in stride(from: 0, to: clean.width, by: Self.side) {
                let tile = Tile(
                    x: x, y: y, width: min(Self.side, clean.width - x), height: min(Self.side, clean.height - y))
                let character = Character(of: luma, width: clean.width, in: tile)
                lay(block(like: character, using: &generator).tile, on: tile, of: &noisy, times: strength)
            }
        }
        for p in noisy.samples.indices { noisy.samples[p] = (min(max(noisy.samples[p], 0), 1) * 255).rounded() / 255 }
        return noisy
    }

    private func block(like character: Character, using generator: inout SeededGenerator) -> Block {
        let drawn = (0..<Self.candidates).map { _ in blocks[Int(generator.next() % UInt64(blocks.count))] }
        return drawn.min { $0.character.distance(to: character) < $1.character.distance(to: character) } ?? blocks[0]
    }

    private func lay(_ source: Tile, on target: Tile, of noisy: inout PlanarImage, times strength: Float) {
        for channel in 0..<3 {
            for row in 0..<target.height {
                let from = (channel * capture.height + source.y + row) * capture.width + source.x
                let to = (channel * noisy.height + target.y + row) * noisy.width + target.x
                for column in 0..<target.width {
                    noisy.samples[to + column] +=
                        strength * (capture.samples[from + column] - estimate.samples[from + column])
                }
            }
        }
    }

    private struct Block {
        let tile: Tile
        let character: Character
    }

    /// What noise depends on.
    private struct Character {
        let brightness: Float
        /// Logarithm of the mean difference of pixels two apart.
        let texture: Float

        init(of luma: [Float], width: Int, in tile: Tile) {
            var (sum, differences): (Float, Float) = (0, 0)
            for y in tile.y..<tile.y + tile.height {
                for p in y * width + tile.x..<y * width + tile.x + tile.width {
                    sum += luma[p]
                    if p + 2 < y * width + tile.x + tile.width { differences += abs(luma[p] - luma[p + 2]) }
                    if y + 2 < tile.y + tile.height { differences += abs(luma[p] - luma[p + 2 * width]) }
                }
            }
            let count = Float(tile.width * tile.height)
            brightness = sum / count
            // One level of 8 bits is no texture.
            texture = log(differences / count + 1.0 / 255)
        }

        /// A quarter of the range of brightness counts as much as texture e times as strong.
        func distance(to other: Character) -> Float {
            4 * abs(brightness - other.brightness) + abs(texture - other.texture)
        }
    }
}
