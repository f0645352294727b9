import Methods
import Networks
import Tensors
import Testing

@Suite struct TrainerTests {
    /// Every objective, with crops that are multiples of 5·2.
    static let plan = TrainingPlan(
        stages: [
            .init(.synthetic, steps: 4, rate: 1e-2), .init(.masked, steps: 2, rate: 1e-3),
            .init(.transfer, steps: 2, rate: 1e-3),
        ], batch: 3, crop: 20, seed: 4)

    static func trainer(_ plan: TrainingPlan = plan) -> Trainer {
        Trainer(network: Toy.network, plan: plan, weights: Toy.weights)
    }

    @Test func anyNumberOfThreadsGivesTheSameWeights() throws {
        var trainers = [Self.trainer(), Self.trainer()]
        while !trainers[0].isFinished {
            let losses = try [0, 1].map { try trainers[$0].advance(from: RampSource(), threads: $0 + 1) }
            #expect(losses[0] == losses[1])
        }
        #expect(trainers[0].weights.bits == trainers[1].weights.bits)
        #expect(trainers[0].weights.bits != Toy.weights.bits)
        #expect(trainers[0].step == 8 && trainers[0].optimiser.steps == 8)
    }

    @Test(arguments: HiddenPixels.allCases) func theLossFallsOnRamps(hiddenPixels: HiddenPixels) throws {
        let plan = TrainingPlan(
            stages: [.init(.masked, steps: 60, rate: 1e-2)], batch: 2, crop: 40, seed: 5, hiddenPixels: hiddenPixels)
        var trainer = Self.trainer(plan)
        var losses: [Double] = []
        while !trainer.isFinished { losses.append(try trainer.advance(from: RampSource(), threads: 2)) }
        let (before, after) = (losses.prefix(5).reduce(0, +), losses.suffix(5).reduce(0, +))
        // From holes of 0 the loss falls to the noise, 0.04; interpolations start near it.
        #expect(after < (hiddenPixels == .zero ? 0.5 : 0.98) * before, "\(before) to \(after)")
    }

    @Test func aFinishedTrainerDoesNothing() throws {
        var trainer = Trainer(network: Toy.network, plan: Self.plan, weights: Toy.weights, step: 8)
        #expect(trainer.isFinished)
        #expect(try trainer.advance(from: RampSource(), threads: 1) == 0)
        #expect(trainer.weights.bits == Toy.weights.bits && trainer.step == 8)
    }

    /// One sample of ramps with one value of its own.
    struct DamagedSource: TrainingSource {
        let value: Float

        func sample(for objective: Objective, crop: Int, key: UInt64) throws -> TrainingSample {
            let sample = try RampSource().sample(for: objective, crop: crop, key: key)
            var noisy = sample.noisy
            noisy.withMutablePointer { $0[crop + 1] = value }
            return TrainingSample(noisy: noisy, clean: sample.clean)
        }
    }

    @Test(arguments: Objective.allCases, [Float.nan, .infinity])
    func aSampleThatIsNotFiniteLeavesTheWeightsAsTheyWere(objective: Objective, value: Float) throws {
        let plan = TrainingPlan(stages: [.init(objective, steps: 4, rate: 1e-2)], batch: 2, crop: 20)
        var trainer = Self.trainer(plan)
        _ = try trainer.advance(from: RampSource(), threads: 1)
        let before = trainer.weights.bits
        let error = #expect(throws: TrainingError.self) {
            try trainer.advance(from: DamagedSource(value: value), threads: 2)
        }
        #expect(error?.description.contains("diverged at step 1") == true)
        #expect(trainer.weights.bits == before)
        #expect(trainer.step == 1 && trainer.optimiser.steps == 1)
        _ = try trainer.advance(from: RampSource(), threads: 1)
        #expect(trainer.weights.tensors.values.allSatisfy { $0.isFinite })
    }

    @Test func anErrorOfTheSourceIsPassedOnAndLeavesTheWeights() {
        struct Broken: Error {}
        struct BrokenSource: TrainingSource {
            func sample(for objective: Objective, crop: Int, key: UInt64) throws -> TrainingSample { throw Broken() }
        }
        var trainer = Self.trainer()
        #expect(throws: Broken.self) { try trainer.advance(from: BrokenSource(), threads: 2) }
        #expect(trainer.weights.bits == Toy.weights.bits && trainer.step == 0)
    }
}
