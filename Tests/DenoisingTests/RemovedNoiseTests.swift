@testable import Denoising
import Foundation
import Imaging
import Testing

@Suite struct RemovedNoiseTests {
    private static let (width, height) = (256, 168)

    /// Stripes of 4 pixels in one half, flat in the other.
    private static func picture(texturedOnTheLeft: Bool) -> PlanarImage {
        var image = PlanarImage(width: width, height: height, channels: 3, repeating: 0.5)
        for channel in 0..<3 {
            for row in 0..<height {
                for column in 0..<width where (column < width / 2) == texturedOnTheLeft && column % 4 < 2 {
                    image[channel, row, column] = 0.3
                }
            }
        }
        return image
    }

    /// Noise of 2 of 255 on the left half, where the picture is flat, and of 10 on the right one.
    private static let noise: RemovedNoise = {
        let clean = picture(texturedOnTheLeft: false)
        let (weak, strong) = (
            Scenes.noisy(clean, deviation: 2, seed: 1), Scenes.noisy(clean, deviation: 10, seed: 2)
        )
        var capture = weak
        for channel in 0..<3 {
            for row in 0..<height {
                for column in width / 2..<width { capture[channel, row, column] = strong[channel, row, column] }
            }
        }
        return RemovedNoise(of: capture, estimate: clean)
    }()

    private func deviation(_ noisy: PlanarImage, _ clean: PlanarImage, columns: Range<Int>) -> Float {
        var sum: Float = 0
        for channel in 0..<3 {
            for row in 0..<clean.height {
                for column in columns {
                    let difference = noisy[channel, row, column] - clean[channel, row, column]
                    sum += difference * difference
                }
            }
        }
        return 255 * (sum / Float(3 * clean.height * columns.count)).squareRoot()
    }

    @Test func textureGetsTheNoiseOfTextureAndFlatAreasThatOfFlatAreas() {
        let clean = Self.picture(texturedOnTheLeft: true)
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<6 {
            let noisy = Self.noise.added(to: clean, using: &generator)
            // Strength varies from 0.85 to 1.2; the blocks of columns 120 to 159 hold both halves.
            #expect((8.3...12.2).contains(deviation(noisy, clean, columns: 0..<120)))
            #expect((1.6...2.6).contains(deviation(noisy, clean, columns: 160..<Self.width)))
        }
    }

    @Test func everyDrawIsAnotherAndTheSameStateGivesTheSame() {
        let clean = Self.picture(texturedOnTheLeft: false)
        var (first, second) = (SeededGenerator(seed: 6), SeededGenerator(seed: 6))
        let drawn = Self.noise.added(to: clean, using: &first)
        #expect(drawn == Self.noise.added(to: clean, using: &second))
        #expect(drawn != Self.noise.added(to: clean, using: &first))
        #expect(drawn.samples.allSatisfy { ($0 * 255).rounded() / 255 == $0 })
    }

    /// What neighbours share stays shared, but for the borders of blocks.
    @Test func correlationIsKept() {
        let clean = PlanarImage(width: 120, height: 120, channels: 3, repeating: 0.5)
        var capture = clean
        for channel in 0..<3 {
            for row in 0..<120 {
                let level = Float((row * 7919 + channel * 104_729) % 17 - 8) / 255
                for column in 0..<120 { capture[channel, row, column] += level }
            }
        }
        var generator = SeededGenerator(seed: 7)
        let noisy = RemovedNoise(of: capture, estimate: clean).added(to: clean, using: &generator)
        for row in 0..<120 {
            for column in 0..<119 where column % 40 != 39 {
                #expect(noisy[1, row, column] == noisy[1, row, column + 1])
            }
        }
        #expect(noisy != clean)
    }
}
