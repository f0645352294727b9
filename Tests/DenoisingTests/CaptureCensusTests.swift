import Denoising
import Foundation
import Testing

/// Whose model is fitted next.
@Suite struct CaptureCensusTests {
    private let canon = Camera("Canon EOS 5D")
    private let nikon = Camera("NIKON D750")
    private let rare = Camera("Holga")

    /// So many crops of each camera, all of one day.
    private func crops(_ counts: [(Camera?, Int)], day: Double = 1) -> [CaptureCensus.Crop] {
        counts.flatMap { camera, count in
            (0..<count).map { _ in .init(camera: camera, date: Self.day(day)) }
        }
    }

    private static func day(_ day: Double) -> Date { Date(timeIntervalSince1970: day * 86400) }

    private func turn(_ census: CaptureCensus) -> String? {
        census.turn(atLeast: 20).map { $0.camera?.name ?? "general" }
    }

    @Test func aCameraWithEnoughCapturesGetsAModelOfItsOwn() {
        #expect(turn(CaptureCensus(crops: crops([(canon, 20)]))) == "canoneos5d")
        #expect(turn(CaptureCensus(crops: crops([(canon, 20), (nikon, 24)]))) == "nikond750")
        #expect(turn(CaptureCensus(crops: crops([(canon, 19)]))) == nil)
        #expect(turn(CaptureCensus()) == nil)
    }

    @Test func camerasWithTooFewShareTheGeneralModel() {
        #expect(turn(CaptureCensus(crops: crops([(canon, 10), (nikon, 9), (nil, 1)]))) == "general")
        #expect(turn(CaptureCensus(crops: crops([(nil, 24)]))) == "general")
        // All captures count towards what it learns from.
        let census = CaptureCensus(
            crops: crops([(canon, 20), (rare, 1)]), learned: [.init(camera: canon): Self.day(2)])
        #expect(turn(census) == "general")
        #expect(census.count(for: .init(camera: nil)) == 21 && census.count(for: .init(camera: canon)) == 20)
    }

    /// Where every photograph is of a camera with a model of its own, the general one serves nobody.
    @Test func theGeneralModelWaitsForCapturesThatItServes() {
        #expect(turn(CaptureCensus(crops: crops([(canon, 40)]), learned: [.init(camera: canon): Self.day(2)])) == nil)
    }

    @Test(arguments: [(5, nil), (6, "canoneos5d"), (7, "canoneos5d")])
    func aQuarterMustBeNew(_ new: Int, _ expected: String?) {
        let census = CaptureCensus(
            crops: crops([(canon, 24 - new)]) + crops([(canon, new)], day: 3),
            learned: [.init(camera: canon): Self.day(2)])
        #expect(turn(census) == expected)
    }

    /// Every night brings so many new crops of everyone that all are due.
    @Test func nobodyStarvesHoweverMuchTheOthersBring() {
        var learned: [CaptureCensus.Turn: Date] = [:]
        var nights: [String] = []
        for night in 1...8 {
            let census = CaptureCensus(
                crops: crops([(canon, 60), (nikon, 20), (rare, 2)], day: Double(night)), learned: learned)
            guard let turn = census.turn(atLeast: 20) else { break }
            nights.append(turn.camera?.name ?? "general")
            learned[turn] = Self.day(Double(night) + 0.5)
        }
        let round = ["canoneos5d", "nikond750", "general"]
        #expect(nights == round + round + round.prefix(2))
    }
}
