import Tensors
import Testing

@Suite struct TensorTests {
    @Test func aCopyKeepsItsValuesWhenTheOriginalChanges() {
        var original = Tensor([2, 3], [1, 2, 3, 4, 5, 6])
        let copy = original, view = original.reshaped([3, 2])
        original.withMutablePointer { $0[0] = 9 }
        accumulate(Tensor([2, 3], repeating: 1), into: &original)
        #expect(original.values == [10, 3, 4, 5, 6, 7])
        #expect(copy.values == [1, 2, 3, 4, 5, 6])
        #expect(view.values == copy.values && view.shape == [3, 2])
    }

    @Test func aTensorCanBeAddedToItself() {
        var tensor = Tensor([3], [1, 2, 3])
        accumulate(tensor, into: &tensor)
        #expect(tensor.values == [2, 4, 6])
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity]) func oneValueThatIsNotFiniteIsFound(value: Float) {
        for count in [1, 7, 64, 1001] {
            for position in Set([0, count / 2, count - 1]) {
                var tensor = Tensor([count], repeating: .greatestFiniteMagnitude)
                #expect(tensor.isFinite)
                tensor.withMutablePointer { $0[position] = value }
                #expect(!tensor.isFinite)
            }
        }
    }

    @Test func channelsAndBatchAreExchanged() {
        let batchMajor = (0..<2 * 3 * 4 * 5).map { Float($0) }
        let tensor = Tensor(batchMajor: batchMajor, shape: [2, 3, 4, 5])
        let reference = Reference(tensor)
        #expect(tensor.shape == [3, 2, 4, 5])
        #expect(reference[2, 1, 3, 4] == 119 && reference[1, 0, 0, 2] == 22 && reference[0, 1, 0, 0] == 60)
        #expect(tensor.swappingChannelsAndBatch().values == batchMajor)
    }

    @Test func emptyTensorsHaveNoValues() {
        #expect(Tensor([3, 0, 2]).values.isEmpty)
        #expect(Tensor([0], []).isFinite)
    }

    /// AdamW's formula in doubles; the kernel rounds a dozen times.
    @Test func anAdamStepChangesTheParameterAndBothMeans() {
        var (value, first, second) = (random([13], seed: 1), random([13], seed: 2), random([13], seed: 3, in: 0...1))
        let gradient = random([13], seed: 4)
        let (p, m, v, g) = (value.values.doubles, first.values.doubles, second.values.doubles, gradient.values.doubles)
        adamStep(
            &value, &first, &second, gradient,
            AdamStep(rate: 0.1, decay: 0.5, beta1: 0.9, beta2: 0.99, epsilon: 1e-3, step: 0.2, root: 0.5))
        let newFirst = zip(m, g).map { 0.9 * $0 + 0.1 * $1 }
        let newSecond = zip(v, g).map { 0.99 * $0 + 0.01 * $1 * $1 }
        #expect(deviation(first.values, newFirst) < 1e-6)
        #expect(deviation(second.values, newSecond) < 1e-6)
        let changed = p.indices.map { index -> Double in
            let root = newSecond[index].squareRoot() / 0.5 + 1e-3
            return 0.95 * p[index] - 0.2 * newFirst[index] / root
        }
        #expect(deviation(value.values, changed) < 2e-6)
    }
}

@Suite struct StorageTests {
    static let sizes: [Int] = {
        let powers = (12...40).map { 1 << $0 }
        return Array(1...4200) + powers.flatMap { [$0 - 1, $0, $0 + 1, $0 + $0 / 2] }
    }()

    @Test func sizeClassesHoldTheirSizesAndWasteAnEighthAtMost() {
        for bytes in Self.sizes {
            let size = StoragePool.sizeClass(bytes)
            #expect(size >= bytes && size % 64 == 0)
            #expect(size - bytes < max(64, bytes / 8 + 1))
            #expect(StoragePool.sizeClass(size) == size)
        }
    }

    @Test func largerSizesHaveNoSmallerClass() {
        let classes = Self.sizes.sorted().map(StoragePool.sizeClass)
        #expect(zip(classes, classes.dropFirst()).allSatisfy { $0 <= $1 })
    }

    @Test func tensorsInUseSurviveATrim() {
        let tensor = random([1000], seed: 1)
        let values = tensor.values
        trimTensorMemory()
        let others = (0..<8).map { _ in Tensor([1000], repeating: 7) }
        #expect(tensor.values == values)
        #expect(others.allSatisfy { $0.values.allSatisfy { $0 == 7 } })
    }
}
