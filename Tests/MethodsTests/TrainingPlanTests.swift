import Foundation
import Testing

@testable import Methods

@Suite struct TrainingPlanTests {
    static let plan = TrainingPlan(stages: [
        .init(.synthetic, steps: 4, rate: 1), .init(.masked, steps: 0, rate: 9), .init(.transfer, steps: 2, rate: 0.5),
    ])

    /// Half a cosine, rounded once to single precision.
    @Test(arguments: [(0, 1), (1, 0.853553), (2, 0.5), (3, 0.146447), (4, 0.5), (5, 0.25)] as [(Int, Float)])
    func ratesFallAlongHalfACosineInEachStage(step: Int, rate: Float) throws {
        #expect(abs(try #require(Self.plan.stage(at: step)).rate - rate) < 1e-6)
    }

    @Test func stagesFollowEachOtherAndEmptyOnesAreLeftOut() {
        let objectives = (0..<Self.plan.steps).map { Self.plan.stage(at: $0)?.stage.objective }
        #expect(objectives == [.synthetic, .synthetic, .synthetic, .synthetic, .transfer, .transfer])
        #expect(Self.plan.stages.count == 2)
        #expect(Self.plan.stage(at: 6) == nil)
        #expect(TrainingPlan(stages: []).stage(at: 0) == nil)
    }

    @Test func everyStageBeginsOnce() {
        #expect((0...Self.plan.steps).filter { Self.plan.begins(at: $0) } == [0, 4])
        #expect(!TrainingPlan(stages: []).begins(at: 0))
    }

    @Test func aShortenedPlanFallsToTheEndAllTheSame() throws {
        let plan = TrainingPlan(
            stages: [.init(.masked, steps: 10, rate: 1), .init(.synthetic, steps: 90, rate: 1)], batch: 3,
            accumulation: 2, crop: 80, seed: 4, hiddenPixels: .neighbours, downsampling: 2)
        let short = plan.shortened(to: 50)
        #expect(short.stages == [.init(.masked, steps: 10, rate: 1), .init(.synthetic, steps: 40, rate: 1)])
        #expect(try #require(short.stage(at: 49)).rate < 0.01)
        #expect(short.accumulation == 2 && short.seed == 4 && short.crop == 80 && short.downsampling == 2)
        #expect(plan.shortened(to: 3).steps == 11, "earlier stages stay")
        #expect(plan.shortened(to: 100) == plan && plan.shortened(to: 500) == plan)
    }

    @Test func aRoundTripThroughJSONKeepsThePlan() throws {
        let plan = TrainingPlan(stages: Self.plan.stages, batch: 3, crop: 80, seed: .max, hiddenPixels: .neighbours)
        #expect(try JSONDecoder().decode(TrainingPlan.self, from: JSONEncoder().encode(plan)) == plan)
    }
}
