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

    @Test func aRoundTripThroughJSONKeepsThePlan() throws {
        let plan = TrainingPlan(stages: Self.plan.stages, batch: 3, crop: 80, seed: .max, hiddenPixels: .neighbours)
        #expect(try JSONDecoder().decode(TrainingPlan.self, from: JSONEncoder().encode(plan)) == plan)
    }
}
