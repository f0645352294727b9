import Tensors
import Testing

@testable import Methods

@Suite struct MaskedEstimateTests {
    private static let side = 24
    private static let grey = Tensor([3, 1, side, side], repeating: 0.5)

    private static func noise(_ deviation: Float, seed: UInt64) -> Tensor {
        var random = RandomSource(seed: seed)
        return Tensor([3, 1, side, side], (0..<3 * side * side).map { _ in 0.5 + deviation * random.normal() })
    }

    /// Both err little against the noise that was removed, so that both count the same.
    @Test func onNoiseItIsTheMeanOfBoth() throws {
        let estimate = MaskedEstimate(hidden: Self.noise(0.01, seed: 1), seen: Self.noise(0.01, seed: 2))
        let joined = estimate.joined(for: Self.noise(0.1, seed: 3)).values
        let seen = try #require(estimate.seen)
        let mean = zip(estimate.hidden.values, seen.values).map { ($0 + $1) / 2 }
        #expect(zip(joined, mean).allSatisfy { abs($0 - $1) < 1e-6 })
    }

    /// What was seen and kept stays, whatever neighbours tell of it.
    @Test func detailThatWasSeenIsNotTakenAway() {
        let mesh = Tensor(
            [3, 1, Self.side, Self.side],
            (0..<3 * Self.side * Self.side).map { ($0 + $0 / Self.side) % 2 == 0 ? 0.7 : 0.3 })
        #expect(MaskedEstimate(hidden: Self.grey, seen: mesh).joined(for: mesh).values == mesh.values)
        let noisy = Tensor(mesh.shape, zip(mesh.values, Self.noise(0.01, seed: 4).values).map { $0 + $1 - 0.5 })
        let joined = MaskedEstimate(hidden: Self.grey, seen: mesh).joined(for: noisy).values
        // The noise has 1/400 of the mesh's energy, of which half may be taken.
        #expect(zip(joined, mesh.values).allSatisfy { abs($0 - $1) < 0.2 / 400 * 4 })
    }

    @Test func oneImageTwiceIsThatImage() {
        let image = Self.noise(0.1, seed: 5)
        #expect(MaskedEstimate(hidden: image, seen: image).joined(for: Self.grey).values == image.values)
    }
}
