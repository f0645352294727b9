import Foundation
import Tensors
import Testing

@Suite struct AttentionTests {
    static let heads = [1, 2]
    static let channels = 4

    /// Softmax of cosines near 1: rounding of a dozen operations.
    @Test(arguments: heads, Planes.all) func everyImageAndHeadMixesItsOwnChannels(heads: Int, planes: Planes) {
        let x = qkv(planes)
        let τ = random([heads, 1, 1], seed: 2, in: 0.5...2)
        let y = transposedAttention(Variable(x), temperature: Variable(τ), heads: heads).tensor
        #expect(y.shape == [Self.channels] + x.shape[1...])
        #expect(deviation(y.values, Self.naive(x, τ.values.doubles, heads)) < 4e-6)
    }

    @Test(arguments: heads, Planes.all) func gradientsAreTheSlopes(heads: Int, planes: Planes) {
        let τ = random([heads, 1, 1], seed: 3, in: 0.5...2)
        // Rows of one pixel have norm 0.3 and more: the fifth derivative is below 10⁵, times h⁴/30 = 2e-9.
        #expect(
            gradientError([qkv(planes), τ], step: Step.smooth) {
                transposedAttention($0[0], temperature: $0[1], heads: heads)
            } < 1e-3)
    }

    /// A row without signal has no direction: its gradient is zero, not infinite (spec E, pitfall 3).
    @Test func aRowOfZerosGetsNoGradient() throws {
        let planes = Planes(batch: 1, height: 3, width: 5)
        for row in [1, Self.channels + 2] {
            var x = qkv(planes)
            x.withMutablePointer { ($0 + row * 15).update(repeating: 0, count: 15) }
            let tape = Tape()
            let (input, τ) = (tape.variable(x), tape.variable(Tensor([1, 1, 1], repeating: 1)))
            let y = transposedAttention(input, temperature: τ, heads: 1)
            let gradient = try #require(tape.backward(from: y, seed: random(y.tensor.shape, seed: 4))[input]).values
            #expect(gradient[row * 15..<(row + 1) * 15].allSatisfy { $0 == 0 })
            // Everything else keeps gradients near 1.
            #expect(gradient.allSatisfy { abs($0) < 100 })
        }
    }

    /// Values away from 0, so that norms do not vanish where a plane has one pixel.
    private func qkv(_ planes: Planes) -> Tensor {
        let values = planes.activation(3 * Self.channels, seed: 1)
        return Tensor(values.shape, values.values.map { $0 < 0 ? $0 - 0.3 : $0 + 0.3 })
    }

    private static func naive(_ x: Tensor, _ τ: [Double], _ heads: Int) -> [Double] {
        let (input, c, area) = (Reference(x), channels / heads, x.height * x.width)
        func row(_ channel: Int, _ image: Int) -> [Double] {
            (0..<area).map { input[channel, image, $0 / x.width, $0 % x.width] }
        }
        func unit(_ row: [Double]) -> [Double] {
            let norm = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return row.map { $0 / max(norm, 1e-12) }
        }
        return Reference.values([channels] + x.shape[1...]) { channel, image, y, column in
            let head = channel / c
            let query = unit(row(channel, image))
            let weights = (0..<c).map { j in
                exp(τ[head] * zip(query, unit(row(channels + head * c + j, image))).reduce(0) { $0 + $1.0 * $1.1 })
            }
            let mixed = (0..<c).reduce(0) { $0 + weights[$1] * input[2 * channels + head * c + $1, image, y, column] }
            return mixed / weights.reduce(0, +)
        }
    }
}
