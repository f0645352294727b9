import Tensors
import Testing

@Suite struct RandomSourceTests {
    /// The generator's first published values for this seed.
    @Test func theNumbersAreThoseOfSplitMix64() {
        var source = RandomSource(seed: 1_234_567)
        #expect(
            (0..<5).map { _ in source.next() } == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
                4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
            ])
    }

    @Test func aStoredStateResumesTheSequence() {
        var source = RandomSource(seed: 5)
        _ = source.normal()
        var resumed = RandomSource(seed: source.state)
        #expect(resumed == source)
        #expect((0..<10).map { _ in source.next() } == (0..<10).map { _ in resumed.next() })
    }

    /// Five standard errors of 100,000 draws.
    @Test func momentsAreThoseOfTheDistributions() {
        var source = RandomSource(seed: 6)
        let count = 100_000
        let uniform = (0..<count).map { _ in Double(source.uniform()) }
        #expect(uniform.allSatisfy { (0..<1).contains($0) })
        #expect(abs(uniform.reduce(0, +) / Double(count) - 0.5) < 5 * 0.289 / Double(count).squareRoot())
        let normal = (0..<count).map { _ in Double(source.normal()) }
        #expect(normal.allSatisfy { $0.isFinite })
        #expect(abs(normal.reduce(0, +) / Double(count)) < 5 / Double(count).squareRoot())
        #expect(abs(normal.reduce(0) { $0 + $1 * $1 } / Double(count) - 1) < 5 * 1.415 / Double(count).squareRoot())
        let indices = Set((0..<1000).map { _ in source.index(below: 7) })
        #expect(indices == Set(0..<7))
    }

    @Test func mixedSeedsDiffer() {
        let seeds = (0..<40).flatMap { seed in (0..<40).map { RandomSource.mix(seed, $0) } }
        #expect(Set(seeds).count == seeds.count)
        #expect(RandomSource.mix(3, 4) == RandomSource.mix(3, 4))
    }
}

@Suite struct RandomFieldTests {
    @Test(arguments: [(0, 0, 40, 50), (3, 7, 1, 1), (39, 0, 1, 50), (5, 49, 20, 1), (11, 13, 17, 31)])
    func aWindowIsASliceOfTheField(row: Int, column: Int, height: Int, width: Int) {
        let field = RandomField(key: 11, probability: 0.4)
        let whole = Reference(field.window(rows: 100..<140, columns: 1000..<1050))
        let part = field.window(
            rows: 100 + row..<100 + row + height, columns: 1000 + column..<1000 + column + width)
        #expect(part.values.doubles == Reference.values([1, 1, height, width]) { whole[0, 0, row + $2, column + $3] })
    }

    /// Five standard errors of 250,000 draws.
    @Test(arguments: [0.01, 0.16, 0.5, 0.9]) func theShareOfOnesIsTheProbability(probability: Double) {
        let values = RandomField(key: 12, probability: probability).window(rows: 0..<500, columns: 0..<500).values
        #expect(values.allSatisfy { $0 == 0 || $0 == 1 })
        let share = values.doubles.reduce(0, +) / 250_000
        #expect(abs(share - probability) < 5 * (probability * (1 - probability) / 250_000).squareRoot())
    }

    @Test func certaintiesAreKept() {
        for value in [0, 1] as [Float] {
            let field = RandomField(key: 13, probability: Double(value))
            #expect(field.window(rows: 0..<50, columns: 0..<50).values.allSatisfy { $0 == value })
        }
    }

    /// Fields of two keys agree by chance in half of their pixels; five standard errors of 10,000 draws.
    @Test func keysNameIndependentFields() {
        let fields = [1, 2].map { key in
            RandomField(key: key, probability: 0.5).window(rows: 0..<100, columns: 0..<100).values
        }
        let agreeing = zip(fields[0], fields[1]).count { $0 == $1 }
        #expect(abs(agreeing - 5000) < 250)
    }
}
