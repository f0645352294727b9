import Tensors
import Testing

@Suite struct TapeTests {
    @Test func gradientsOfAVariableUsedSeveralTimesAddUp() throws {
        let tape = Tape()
        let x = tape.variable(random([2, 3], seed: 1))
        let seed = Tensor([2, 3], repeating: 1)
        let gradients = tape.backward(from: add(add(x, x), x), seed: seed)
        #expect(try #require(gradients[x]).values.allSatisfy { $0 == 3 })
    }

    /// The same gradient goes to both sides of a sum; adding to one must not change the other, nor the caller's seed.
    @Test func gradientsThatShareStorageDoNotChangeEachOther() throws {
        let tape = Tape()
        let (a, b) = (tape.variable(random([5], seed: 2)), tape.variable(random([5], seed: 3)))
        let seed = random([5], seed: 4)
        let before = seed.values
        let gradients = tape.backward(from: add(add(a, b), a), seed: seed)
        #expect(try #require(gradients[a]).values == before.map { 2 * $0 })
        #expect(try #require(gradients[b]).values == before)
        #expect(seed.values == before)
    }

    @Test func aSecondRunAddsToTheGradientsOfTheFirst() throws {
        let tape = Tape()
        let x = tape.variable(random([3], seed: 1))
        let seed = Tensor([3], repeating: 1)
        let first = tape.backward(from: add(x, x), seed: seed)
        let both = tape.backward(from: add(add(x, x), x), seed: seed, addingTo: first)
        #expect(try #require(both[x]).values == [5, 5, 5])
    }

    @Test func constantsGetNoGradient() {
        let tape = Tape()
        let (x, constant) = (tape.variable(random([4], seed: 5)), Variable(random([4], seed: 6)))
        let gradients = tape.backward(from: add(x, constant), seed: Tensor([4], repeating: 1))
        #expect(gradients[x] != nil)
        #expect(gradients[constant] == nil)
    }

    @Test func aLeafThatTheOutputDoesNotDependOnGetsNoGradient() {
        let tape = Tape()
        let (x, other) = (tape.variable(random([4], seed: 7)), tape.variable(random([4], seed: 8)))
        _ = add(other, other)
        let gradients = tape.backward(from: add(x, x), seed: Tensor([4], repeating: 1))
        #expect(gradients[other] == nil)
    }

    /// The second use adds to the buffer that the first one made. Tolerance as for single uses of smooth operations.
    @Test func parametersUsedTwiceAddBothGradients() {
        let x = Planes(batch: 2, height: 3, width: 5).activation(4, seed: 9, in: 0.3...1)
        let twice: [(String, [Tensor], Operation)] = [
            (
                "pointwise", [random([4, 4, 1, 1], seed: 10), random([4], seed: 11)],
                { v in
                    pointwise(pointwise(v[0], weight: v[1], bias: v[2]), weight: v[1], bias: v[2])
                }
            ),
            (
                "dense", [random([4, 4, 3, 3], seed: 12), random([4], seed: 13)],
                { v in
                    convolution3x3(convolution3x3(v[0], weight: v[1], bias: v[2]), weight: v[1], bias: v[2])
                }
            ),
            (
                "depthwise", [random([4, 1, 3, 3], seed: 14), random([4], seed: 15)],
                { v in
                    depthwise3x3(depthwise3x3(v[0], weight: v[1], bias: v[2]), weight: v[1], bias: v[2])
                }
            ),
            (
                "residual", [random([4], seed: 16)],
                { v in
                    scaledResidual(v[0], scaledResidual(v[0], v[0], scale: v[1]), scale: v[1])
                }
            ),
            (
                "norms", [random([4], seed: 17, in: 1...2)],
                { v in
                    biasFreeNorm(biasFreeNorm(v[0], weight: v[1]), weight: v[1])
                }
            ),
            (
                "temperature", [Tensor([1, 1, 1], repeating: 1)],
                { v in
                    let qkv = concatenate(concatenate(v[0], v[0]), v[0])
                    return add(
                        transposedAttention(qkv, temperature: v[1], heads: 1),
                        transposedAttention(qkv, temperature: v[1], heads: 1))
                }
            ),
        ]
        for (name, parameters, operation) in twice {
            #expect(gradientError([x] + parameters, step: Step.smooth, operation) < 2e-3, "\(name)")
        }
    }

    @Test func tapesOfSeveralThreadsAreIndependent() throws {
        @Sendable func gradient(_ index: Int) -> [Float] {
            let tape = Tape()
            let x = tape.variable(Planes(batch: 1, height: 9, width: 11).activation(3, seed: UInt64(index)))
            let w = tape.variable(random([3, 3, 3, 3], seed: 100 + UInt64(index)))
            let y = gelu(convolution3x3(gelu(convolution3x3(x, weight: w)), weight: w))
            let gradients = tape.backward(from: y, seed: Tensor(y.tensor.shape, repeating: 1))
            return [x, w].flatMap { gradients[$0]?.values ?? [] }
        }
        let alone = (0..<16).map(gradient)
        #expect(try parallelMap(16, threads: 4, gradient) == alone)
        #expect(alone.allSatisfy { $0.count == 3 * 99 + 81 })
    }
}
