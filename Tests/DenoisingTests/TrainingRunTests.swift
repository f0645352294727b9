import Denoising
import Foundation
import Methods
import Networks
import SystemPackage
import Tensors
import TestSupport
import Testing

@Suite struct TrainingRunTests {
    static let plan = TrainingPlan(
        stages: [.init(.masked, steps: 3, rate: 1e-2), .init(.transfer, steps: 2, rate: 1e-3)], batch: 2, crop: 20,
        seed: 6)

    /// Crops of uniform noise.
    struct NoiseSource: TrainingSource {
        func sample(for objective: Objective, crop: Int, key: UInt64) throws -> TrainingSample {
            var random = RandomSource(seed: key)
            return TrainingSample(
                noisy: Tensor([3, 1, crop, crop], (0..<3 * crop * crop).map { _ in random.uniform() }))
        }
    }

    static func fresh(_ checkpoint: FilePath) -> TrainingRun {
        TrainingRun(Trainer(network: Small.network, plan: plan, weights: Small.weights), checkpoint: checkpoint)
    }

    static func bits(_ run: TrainingRun) -> [[String: [UInt32]]] {
        let trainer = run.trainer
        return [trainer.weights.tensors, trainer.optimiser.first, trainer.optimiser.second].map {
            $0.mapValues { $0.values.map(\.bitPattern) }
        }
    }

    @Test func aRunThatIsStoppedAtEveryStepEndsWithTheSameBytes() throws {
        try withTemporaryPath { folder in
            var whole = Self.fresh(folder.appending("whole"))
            try whole.run(from: NoiseSource(), threads: 2) { _ in }
            let checkpoint = folder.appending("stopped")
            var stopped = Self.fresh(checkpoint)
            for step in 0...5 {
                var left = 1
                try stopped.run(
                    from: NoiseSource(), threads: 1,
                    shouldStop: {
                        left -= 1; return left < 0
                    }, report: { _ in })
                #expect(stopped.trainer.step == min(step + 1, 5))
                stopped = try TrainingRun(resuming: checkpoint)
                #expect(stopped.trainer.plan == Self.plan)
            }
            #expect(stopped.trainer.isFinished)
            #expect(Self.bits(stopped) == Self.bits(whole))
            #expect(try Small.bytes(checkpoint) == Small.bytes(folder.appending("whole")))
            #expect(try Small.names(in: folder) == ["stopped", "whole"])
        }
    }

    @Test func aRunThatIsLateEndsWithItsPlan() throws {
        try withTemporaryPath { folder in
            var late = Self.fresh(folder.appending("late"))
            try late.run(from: NoiseSource(), threads: 2, reportEvery: 3, deadline: .now, report: { _ in })
            // The first stage stays whole, and one step of the last.
            #expect(late.trainer.step == 4 && late.trainer.isFinished)
        }
    }

    @Test func aDeadlineThatIsFarAwayChangesNothing() throws {
        try withTemporaryPath { folder in
            var (free, timed) = (Self.fresh(folder.appending("free")), Self.fresh(folder.appending("timed")))
            try free.run(from: NoiseSource(), threads: 2) { _ in }
            try timed.run(
                from: NoiseSource(), threads: 2, reportEvery: 1, deadline: .now + .seconds(3600), report: { _ in })
            #expect(Self.bits(timed) == Self.bits(free))
        }
    }

    /// An optimiser has no means of running statistics, nor of tensors that no pass reads.
    @Test(arguments: [
        NetworkConfiguration.dncnn(.init(width: 4, convolutions: 3)), .deamnet(.init(width: 2, reduced: 1)),
    ]) func tensorsThatTheOptimiserLeavesAloneAreResumedToo(configuration: NetworkConfiguration) throws {
        try withTemporaryPath { folder in
            let network = configuration.makeNetwork()
            func fresh(_ name: String) -> TrainingRun {
                let weights = Weights(initialising: network, seed: 8)
                return TrainingRun(
                    Trainer(network: network, plan: Self.plan, weights: weights), checkpoint: folder.appending(name))
            }
            var whole = fresh("whole")
            try whole.run(from: NoiseSource(), threads: 2) { _ in }
            var stopped = fresh("stopped")
            var left = 2
            try stopped.run(
                from: NoiseSource(), threads: 1,
                shouldStop: {
                    left -= 1; return left < 0
                }, report: { _ in })
            stopped = try TrainingRun(resuming: folder.appending("stopped"))
            #expect(stopped.trainer.step == 2)
            try stopped.run(from: NoiseSource(), threads: 1) { _ in }
            #expect(Self.bits(stopped) == Self.bits(whole))
        }
    }

    @Test func progressIsReportedAndSavedAsAsked() throws {
        try withTemporaryPath { folder in
            let checkpoint = folder.appending("checkpoint")
            var run = Self.fresh(checkpoint)
            var steps: [Int] = []
            var saved: [Int] = []
            try run.run(from: NoiseSource(), threads: 1, reportEvery: 2, saveEvery: 2) { progress in
                steps.append(progress.step)
                #expect(progress.loss.isFinite && progress.steps == 5)
                saved.append((try? TrainingRun(resuming: checkpoint).trainer.step) ?? -1)
            }
            #expect(steps == [2, 4, 5])
            #expect(saved == [-1, 2, 4])
            #expect(try TrainingRun(resuming: checkpoint).trainer.step == 5)
        }
    }

    /// Writes a checkpoint with a change and expects its refusal.
    static func expectRefusal(_ what: String, _ change: (inout Safetensors) -> Void) throws {
        try withTemporaryPath { folder in
            let checkpoint = folder.appending("checkpoint")
            var run = Self.fresh(checkpoint)
            var left = 1
            try run.run(
                from: NoiseSource(), threads: 1,
                shouldStop: {
                    left -= 1; return left < 0
                }, report: { _ in })
            var file = try Safetensors(Small.bytes(checkpoint))
            change(&file)
            try file.encoded().write(to: URL(filePath: checkpoint.string))
            let error = #expect(throws: ModelError.self, "\(what)") { try TrainingRun(resuming: checkpoint) }
            #expect(error?.description.contains("\n") != true)
        }
    }

    @Test func aDamagedCheckpointIsRefused() throws {
        try Self.expectRefusal("weights") { $0.tensors["weights.intro.bias"] = nil }
        try Self.expectRefusal("step") { $0.metadata["step"] = "many" }
        try Self.expectRefusal("negative step") { $0.metadata["step"] = "-1" }
        try Self.expectRefusal("plan") { $0.metadata["plan"] = nil }
        try Self.expectRefusal("network") { $0.metadata["network"] = "{}" }
        try Self.expectRefusal("a shape of the optimiser") { $0.tensors["optimiser.first.intro.bias"] = Tensor([1]) }
        try Self.expectRefusal("a gap in the optimiser") { $0.tensors["optimiser.second.intro.bias"] = nil }
        try Self.expectRefusal("an infinite mean") {
            $0.tensors["optimiser.second.intro.bias"] = Tensor([4], repeating: .infinity)
        }
    }

    @Test func aMissingCheckpointIsNamed() {
        let error = #expect(throws: ModelError.self) { try TrainingRun(resuming: "/nowhere/checkpoint") }
        #expect(error?.description.contains("/nowhere/checkpoint") == true)
    }

    @Test func aCheckpointBeforeTheFirstStepResumes() throws {
        try withTemporaryPath { folder in
            let checkpoint = folder.appending("checkpoint")
            var run = Self.fresh(checkpoint)
            try run.run(from: NoiseSource(), threads: 1, shouldStop: { true }, report: { _ in })
            #expect(try TrainingRun(resuming: checkpoint).trainer.step == 0)
        }
    }
}
