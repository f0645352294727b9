import Methods
import Tensors
import Testing

@Suite struct LossesTests {
    static let target = Toy.image(3, 4, seed: 1)
    static let hidden = RandomField(key: 2, probability: 0.5).window(rows: 0..<3, columns: 0..<4)
    static let entries = 3 * Int(hidden.values.reduce(0, +))

    @Test func theMaskedLossCountsHiddenEntriesOnly() {
        var output = Self.target
        let hidden = Self.hidden.values
        // Visible pixels are far off, hidden ones by 0.25 each.
        output.withMutablePointer { pointer in
            for index in 0..<36 { pointer[index] += hidden[index % 12] == 1 ? (index < 12 ? -0.25 : 0.25) : 100 }
        }
        let loss = maskedLoss(output, Self.target, hidden: Self.hidden, entries: Self.entries)
        // Differences of numbers below 2 are rounded to 1e-7.
        #expect(abs(loss.value - 0.25) < 1e-6)
        let slope = 1 / Float(Self.entries)
        let expected = (0..<36).map { hidden[$0 % 12] == 1 ? ($0 < 12 ? -slope : slope) : 0 }
        #expect(loss.gradient.values == expected)
    }

    @Test func withoutHiddenEntriesNothingIsLost() {
        let none = Tensor([1, 1, 3, 4])
        let loss = maskedLoss(Tensor([3, 1, 3, 4]), Self.target, hidden: none, entries: 0)
        #expect(loss.value == 0)
        #expect(loss.gradient.values.allSatisfy { $0 == 0 })
    }

    @Test func entriesWithoutErrorHaveNoSlope() {
        let loss = maskedLoss(Self.target, Self.target, hidden: Self.hidden, entries: Self.entries)
        #expect(loss.value == 0)
        #expect(loss.gradient.values.allSatisfy { $0 == 0 })
    }

    /// A flat output has only the error against the target and λ·ε.
    @Test func theTransferLossAddsFitAndSmoothness() {
        let output = Tensor([3, 1, 3, 4], repeating: 1)
        let loss = transferLoss(output, Self.target, entries: 36)
        let fit = Self.target.values.reduce(0.0) { $0 + 1 - Double($1) } / 36
        #expect(abs(loss.value - fit - 0.1 * 1e-3) < 1e-6)
        #expect(loss.gradient.values.allSatisfy { $0 == 1 / 36 })
    }
}
