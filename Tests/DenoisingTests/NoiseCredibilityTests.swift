@testable import Denoising
import Imaging
import Testing

@Suite struct NoiseCredibilityTests {
    @Test func whatIsFarAboveTheMedianIsNotBelieved() {
        let shares: [Float] = [1.2, 0.7, 2.4, 1.0, 0.9]
        let credibility = NoiseCredibility(shares)
        #expect(shares.filter(credibility.believes) == [1.2, 0.7, 1.0, 0.9])
    }

    @Test(arguments: [0.1, 5] as [Float]) func howMuchTheModelTakesEverywhereDoesNotMatter(factor: Float) {
        let shares = [1.2, 0.7, 2.4, 1.0, 0.9].map { $0 * factor }
        #expect(shares.filter(NoiseCredibility(shares).believes) == [shares[0], shares[1], shares[3], shares[4]])
        #expect(NoiseCredibility([factor]).believes(factor))
    }

    @Test func noiseThatWentIsAsStrongAsItWasMeasured() throws {
        let (capture, clean) = try Scenes.capture(3)
        // Noise is measured to within 12 %.
        #expect(abs(NoiseCredibility.share(of: capture, beside: clean) - 1) < 0.12)
    }

    /// A wall: roughness of 8 everywhere, noise of 2 upon it, of which a network takes the noise.
    @Test func roughnessThatStayedIsNot() throws {
        let hills = Scenes.clean(9)
        let wall = Scenes.noisy(hills, deviation: 8, seed: 1)
        let noisy = Scenes.noisy(wall, deviation: 2, seed: 2)
        let capture = try Capture(
            PixelBuffer(interleaving: noisy), name: "wall", hash: String(repeating: "a", count: 64), seed: 1)
        #expect(NoiseCredibility.share(of: capture, beside: wall) > 3)
    }
}
