import Foundation
import Tensors
import Testing

@Suite struct ActivationsTests {
    static func exact(_ x: Double) -> Double { 0.5 * x * erfc(-x / 2.0.squareRoot()) }

    /// 2e-6: the kernel's stated error near 1.
    @Test(arguments: Planes.all) func geluUsesTheErrorFunction(planes: Planes) {
        let x = planes.activation(3, seed: 1, in: -4...4)
        #expect(deviation(gelu(Variable(x)).tensor.values, x.values.map { Self.exact(Double($0)) }) < 2e-6)
    }

    @Test(arguments: Planes.all) func theFirstHalfOfTheChannelsGatesTheSecond(planes: Planes) {
        let x = planes.activation(6, seed: 2, in: -2...2)
        let y = geluGate(Variable(x)).tensor
        let input = Reference(x)
        let expected = Reference.values([3] + x.shape[1...]) {
            Self.exact(input[$0, $1, $2, $3]) * input[$0 + 3, $1, $2, $3]
        }
        #expect(y.shape == [3] + x.shape[1...])
        #expect(deviation(y.values, expected) < 3e-6)
    }

    /// GELU's fifth derivative stays below 5; the rounding of y counts, 1e-6 over h = 1/64.
    @Test(arguments: Planes.all) func gradientsAreTheSlopes(planes: Planes) {
        let x = planes.activation(4, seed: 3, in: -3...3)
        #expect(gradientError([x], step: Step.smooth) { gelu($0[0]) } < 2e-4)
        #expect(gradientError([x], step: Step.smooth) { geluGate($0[0]) } < 2e-4)
    }
}
