import Foundation
import Tensors
import Testing

@Suite struct SqueezeExciteTests {
    /// Two hidden units work and two are cut off, all at least 0.3 away from the kink.
    static let hiddenBias: [Float] = [0.6, -0.6, 0.8, -0.8]
    static let parameters = [
        random([4, 8, 1, 1], seed: 2, in: -0.03...0.03), Tensor([4], hiddenBias),
        random([8, 4, 1, 1], seed: 3), random([8], seed: 4),
    ]

    static let operation: @Sendable ([Variable]) -> Variable = {
        squeezeExcite($0[0], SqueezeExciteWeights(reduce: ($0[1], $0[2]), expand: ($0[3], $0[4])))
    }

    /// A mean, two small products and a logistic function: a dozen roundings near 1.
    @Test(arguments: Planes.all) func everyImageScalesItsChannelsByItsOwnGate(planes: Planes) {
        let t = planes.activation(8, seed: 1)
        let y = Self.operation(([t] + Self.parameters).map { Variable($0) }).tensor
        let (input, p) = (Reference(t), Self.parameters.map(\.values.doubles))
        let gates = (0..<planes.batch).map { image in
            let means = (0..<8).map { c in
                Reference.values([1, 1, planes.height, planes.width]) { input[c, image, $2, $3] }.reduce(0, +)
                    / Double(planes.height * planes.width)
            }
            let hidden = affine(p[0], p[1], means).map { max(0, $0) }
            return affine(p[2], p[3], hidden).map { 1 / (1 + exp(-$0)) }
        }
        let expected = Reference.values(t.shape) { gates[$1][$0] * input[$0, $1, $2, $3] }
        #expect(deviation(y.values, expected) < 2e-6)
    }

    /// The smallest gradients, those of the first layer, are some 0.01 of the sums that they come from.
    @Test(arguments: Planes.all) func gradientsAreTheSlopes(planes: Planes) {
        let t = planes.activation(8, seed: 5)
        #expect(gradientError([t] + Self.parameters, step: Step.smooth, Self.operation) < 5e-4)
    }

    private func affine(_ weight: [Double], _ bias: [Double], _ x: [Double]) -> [Double] {
        bias.indices.map { row in
            let products = zip(weight[row * x.count..<(row + 1) * x.count], x).map { $0 * $1 }
            return products.reduce(bias[row], +)
        }
    }
}
