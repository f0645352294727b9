@testable import Denoising
import Foundation
import Imaging
import Testing

@Suite struct BlockMatchingTests {
    private func plane(_ width: Int, _ height: Int, seed: UInt64) -> Plane {
        var generator = SeededGenerator(seed: seed)
        return Plane(width: width, height: height, samples: generator.normals(width * height))
    }

    private func psnr(_ a: PlanarImage, _ b: PlanarImage) -> Float {
        let error = zip(a.samples, b.samples).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        return -10 * log10(error / Float(a.samples.count))
    }

    @Test func cosineCoefficientsAreThoseOfTheFormula() {
        let samples = plane(8, 8, seed: 1).samples
        let found = CosineBlock(samples).transformed
        for (k, l) in [(0, 0), (0, 3), (5, 2), (7, 7)] {
            var expected = 0.0
            for (p, sample) in samples.enumerated() {
                expected +=
                    Double(sample) * cos(Double((2 * (p / 8) + 1) * k) * .pi / 16)
                    * cos(Double((2 * (p % 8) + 1) * l) * .pi / 16)
            }
            expected *= (k == 0 ? 0.125 : 0.25).squareRoot() * (l == 0 ? 0.125 : 0.25).squareRoot()
            // Sixteen sums of eight products, each rounded to 24 bits.
            #expect(abs(Double(found.rows[k][l]) - expected) < 1e-5)
        }
    }

    @Test(arguments: [1, 2, 8, 16]) func aStackComesBackFromItsSpectrum(_ count: Int) {
        let plane = plane(40, 31, seed: 2)
        let places = (0..<count).map { BlockGroup.Place(row: $0 % 24, column: 2 * $0) }
        let blocks = BlockGroup(places, in: plane).blocks()
        for (block, place) in zip(blocks, places) {
            for row in 0..<8 {
                for column in 0..<8 {
                    let sample = plane.samples[(place.row + row) * 40 + place.column + column]
                    #expect(abs(block.rows[row][column] - sample) < 1e-5)
                }
            }
        }
    }

    @Test func colourComesBackFromItsPlanes() {
        let samples = plane(9, 3 * 7, seed: 3).samples.map { min(max(0.5 + 0.1 * $0, 0), 1) }
        let image = PlanarImage(width: 9, height: 7, channels: 3, samples: samples)
        let back = OpponentColour.image(of: OpponentColour.planes(of: image))
        for (a, b) in zip(image.samples, back.samples) { #expect(abs(a - b) < 1e-6) }
    }

    @Test func planesHaveTheVarianceOfTheirWeights() {
        let noise = PlanarImage(width: 128, height: 128, channels: 3, samples: plane(128, 384, seed: 4).samples)
        for (plane, expected) in zip(OpponentColour.planes(of: noise), OpponentColour.variances) {
            let found = plane.samples.reduce(0) { $0 + $1 * $1 } / Float(plane.samples.count)
            // The sample variance of 16,384 independent values is right to within 1.1 %.
            #expect(abs(found / expected - 1) < 0.04)
        }
    }

    @Test func aCopyIsTheNearestBlock() {
        var plane = plane(64, 48, seed: 5)
        for row in 0..<8 {
            for column in 0..<8 {
                plane.samples[(20 + row) * 64 + 31 + column] = plane.samples[(16 + row) * 64 + 22 + column]
            }
        }
        let places = BlockSearch(plane).similar(to: .init(row: 16, column: 22))
        #expect(places.prefix(2) == [.init(row: 16, column: 22), .init(row: 20, column: 31)])
        #expect(places.count == 16)
    }

    @Test(arguments: [(8, 8, 1), (9, 8, 2), (10, 9, 4), (64, 64, 16)])
    func asManyBlocksAreFoundAsAPowerOfTwoAllows(_ width: Int, _ height: Int, _ count: Int) {
        let found = BlockSearch(plane(width, height, seed: 6)).similar(to: .init(row: 0, column: 0))
        #expect(found.count == count)
        #expect(found.allSatisfy { $0.row + 8 <= height && $0.column + 8 <= width })
        #expect(Set(found.map { $0.row * width + $0.column }).count == count)
    }

    /// The published gain at a deviation of 25 of 255, 20.2 to about 29 to 31 dB, is of larger photographs.
    @Test func whiteNoiseGoesAndThePictureStays() throws {
        let clean = try PlanarImage.shipped("pinned.png").cropped(to: Tile(x: 0, y: 0, width: 256, height: 128))
        var generator = SeededGenerator(seed: 7)
        let noise = generator.normals(clean.samples.count)
        var noisy = clean
        for p in noisy.samples.indices { noisy.samples[p] = min(max(clean.samples[p] + 25 / 255 * noise[p], 0), 1) }
        let denoised = try BlockMatching(deviation: 25 / 255, threads: 2).denoised(noisy)
        #expect(psnr(denoised, clean) > psnr(noisy, clean) + 7)
        #expect(try BlockMatching(deviation: 25 / 255, threads: 1).denoised(noisy) == denoised)
    }

    @Test(arguments: [(8, 8), (13, 27), (61, 35)]) func whatIsFlatStaysSo(_ width: Int, _ height: Int) throws {
        let flat = PlanarImage(width: width, height: height, channels: 3, repeating: 0.25)
        let denoised = try BlockMatching(deviation: 0.1, threads: 2).denoised(flat)
        #expect(denoised.samples.allSatisfy { abs($0 - 0.25) < 1e-5 })
    }
}
