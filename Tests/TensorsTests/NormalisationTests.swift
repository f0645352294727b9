import Tensors
import Testing

@Suite struct NormalisationTests {
    static let channels = [3, 8, 11]

    /// Rounding of a dozen operations on values near 1.
    @Test(arguments: channels, Planes.all) func biasFreeNormKeepsTheMean(channels: Int, planes: Planes) {
        let (x, w) = (planes.activation(channels, seed: 1, in: -1...2), random([channels], seed: 2))
        let y = biasFreeNorm(Variable(x), weight: Variable(w)).tensor
        let input = Reference(x)
        let expected = Reference.values(x.shape) { c, image, row, column in
            let (_, deviation) = moments(input.pixel(image, row, column), 1e-5)
            return Double(w.values[c]) * input[c, image, row, column] / deviation
        }
        #expect(deviation(y.values, expected) < 4e-6)
    }

    @Test(arguments: channels, Planes.all) func affineNormRemovesTheMean(channels: Int, planes: Planes) {
        let x = planes.activation(channels, seed: 3, in: -1...2)
        let (w, b) = (random([channels], seed: 4), random([channels], seed: 5))
        let y = affineNorm(Variable(x), weight: Variable(w), bias: Variable(b)).tensor
        let input = Reference(x)
        let expected = Reference.values(x.shape) { c, image, row, column in
            let (mean, deviation) = moments(input.pixel(image, row, column), 1e-6)
            return Double(w.values[c]) * (input[c, image, row, column] - mean) / deviation + Double(b.values[c])
        }
        #expect(deviation(y.values, expected) < 4e-6)
    }

    /// Three channels may lie close together: the fifth derivative is then some 10⁴, times h⁴/30 = 2e-9.
    @Test(arguments: channels, Planes.all) func gradientsAreTheSlopes(channels: Int, planes: Planes) {
        let x = planes.activation(channels, seed: 6, in: -1...2)
        let (w, b) = (random([channels], seed: 7), random([channels], seed: 8))
        #expect(gradientError([x, w], step: Step.smooth) { biasFreeNorm($0[0], weight: $0[1]) } < 5e-4)
        #expect(
            gradientError([x, w, b], step: Step.smooth) {
                affineNorm($0[0], weight: $0[1], bias: $0[2])
            } < 5e-4)
    }

    /// A hidden dark pixel has the same value in every channel; ε keeps its norm finite.
    @Test func equalChannelsStayFinite() {
        let x = Tensor([4, 1, 2, 2])
        let ones = Variable(Tensor([4], repeating: 1))
        #expect(biasFreeNorm(Variable(x), weight: ones).tensor.values.allSatisfy { $0 == 0 })
        #expect(affineNorm(Variable(x), weight: ones, bias: ones).tensor.values.allSatisfy { $0 == 1 })
    }

    private func moments(_ x: [Double], _ epsilon: Double) -> (mean: Double, deviation: Double) {
        let mean = x.reduce(0, +) / Double(x.count)
        let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count)
        return (mean, (variance + epsilon).squareRoot())
    }
}
