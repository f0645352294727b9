import Testing

@testable import Tensors

@Suite struct BlockMatchingTests {
    /// Bars and an edge, which repeat, in the middle of the range.
    private func picture(width: Int, height: Int) -> [Float] {
        (0..<width * height).map { p in
            let (row, column) = (p / width, p % width)
            let bars: Float = (column / 6 + row / 9) % 2 == 0 ? 0.35 : 0.6
            return row < height / 2 ? bars : 0.3 + 0.3 * Float(column) / Float(width)
        }
    }

    private func noisy(_ samples: [Float], deviation: Float, seed: UInt64 = 1) -> [Float] {
        var random = RandomSource(seed: seed)
        return samples.map { $0 + deviation * random.normal() }
    }

    private func matched(
        _ samples: [Float], width: Int, deviation: Float, threads: Int = 2
    ) throws -> [Float] {
        let height = samples.count / width
        let deviations = Tensor([1, 1, (height + 3) / 4, (width + 3) / 4], repeating: deviation)
        return try blockMatched(Tensor([1, 1, height, width], samples), deviations: deviations, threads: threads).values
    }

    private func distance(_ a: [Float], _ b: [Float]) -> Float {
        (zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / Float(a.count)).squareRoot()
    }

    /// Repetitions are told from noise: what is left is hardly more than a third of it, at sizes that no step divides as well.
    @Test(arguments: [(96, 96), (75, 61)]) func whatRepeatsStaysAndNoiseGoes(width: Int, height: Int) throws {
        let clean = picture(width: width, height: height)
        let denoised = try matched(noisy(clean, deviation: 0.1), width: width, deviation: 0.1)
        #expect(distance(denoised, clean) < 0.036)
        #expect(denoised.allSatisfy { $0.isFinite })
    }

    /// A gain of one keeps every sample: rounding of two transforms there and back is all that changes.
    @Test(arguments: [1e-6, 0] as [Float])
    func nothingIsTakenWhereNoiseIsFarBelowThePicture(deviation: Float) throws {
        let clean = noisy(picture(width: 40, height: 40), deviation: 0.2)
        #expect(distance(try matched(clean, width: 40, deviation: deviation), clean) < 1e-5)
    }

    @Test(arguments: [0.4, 0] as [Float]) func aFlatPlaneStaysWhatItIs(value: Float) throws {
        let flat = [Float](repeating: value, count: 33 * 20)
        #expect(try matched(flat, width: 33, deviation: 0.05).allSatisfy { abs($0 - value) < 1e-5 })
    }

    /// Noise is taken for what it is said to be in each place.
    @Test func placesHaveNoiseOfTheirOwn() throws {
        let (width, height) = (96, 48)
        let samples = noisy([Float](repeating: 0.5, count: width * height), deviation: 0.05)
        let deviations = Tensor([1, 1, height / 4, width / 4], (0..<12 * 24).map { $0 % 24 < 12 ? 0.05 : 1e-4 })
        let denoised = try blockMatched(Tensor([1, 1, height, width], samples), deviations: deviations, threads: 2)
            .values
        func left(_ columns: Range<Int>) -> Float {
            let places = (0..<height).flatMap { row in columns.map { row * width + $0 } }
            return distance(places.map { denoised[$0] }, places.map { _ in 0.5 })
        }
        #expect(left(0..<36) < 0.015)
        #expect(left(64..<96) > 0.045)
    }

    @Test func theThreadsDoNotMatter() throws {
        let samples = noisy(picture(width: 90, height: 130), deviation: 0.05)
        let alone = try matched(samples, width: 90, deviation: 0.05, threads: 1)
        #expect(try matched(samples, width: 90, deviation: 0.05, threads: 3) == alone)
    }

    @Test func smallerThanABlockItIsReturned() throws {
        let small = noisy([Float](repeating: 0.5, count: 7 * 30), deviation: 0.1)
        #expect(try matched(small, width: 7, deviation: 0.1) == small)
    }
}
