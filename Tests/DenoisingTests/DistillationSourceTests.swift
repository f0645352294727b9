@testable import Denoising
import Foundation
import Methods
import Networks
import SystemPackage
import Tensors
import TestSupport
import Testing

@Suite struct DistillationSourceTests {
    /// Noisy crops of uniform noise; pairs with a clean side of 0.5.
    struct Photographs: TrainingSource {
        func sample(for objective: Objective, crop: Int, key: UInt64) throws -> TrainingSample {
            var random = RandomSource(seed: key)
            let shape = [3, 1, crop, crop]
            let noisy = Tensor(shape, (0..<3 * crop * crop).map { _ in random.uniform() })
            return TrainingSample(
                noisy: noisy, clean: objective.needsClean ? Tensor(shape, repeating: 0.5) : nil)
        }
    }

    static func source(
        _ metadata: [String: String], cleanShare: Float = 0, dbsn: BayesianDBSN.Noise? = nil, in folder: FilePath
    ) throws -> DistillationSource {
        guard let dbsn else {
            return DistillationSource(
                teacher: Teacher(try Small.model(in: folder, metadata)), photographs: Photographs(),
                cleanShare: cleanShare)
        }
        let network = BayesianDBSN(.init(width: 4, blocks: 1, noise: dbsn))
        let path = folder.appending("dbsn.safetensors")
        try Model.write(Weights(initialising: network, seed: 1), of: network, metadata: metadata, to: path)
        return DistillationSource(
            teacher: Teacher(try Model(contentsOf: path)), photographs: Photographs(), cleanShare: cleanShare)
    }

    /// AMSNet gives three predictions that differ, other models one.
    @Test(arguments: [("B", 3), ("P", 3), ("plain", 1), ("blind-spot", 1)])
    func teachersSayWhatTheirMethodMakes(variant: String, count: Int) throws {
        try withTemporaryPath { folder in
            let folder = try Small.folder("models", in: folder)
            let source = try Self.source(["variant": variant], in: folder)
            let sample = try source.sample(for: .distilled, crop: 24, key: 3)
            #expect(sample.clean == nil && sample.predictions.count == count)
            #expect(Set(sample.predictions.map(\.values)).count == count)
            #expect(sample.predictions.allSatisfy { $0.shape == sample.noisy.shape && $0.isFinite })
            let again = try source.sample(for: .distilled, crop: 24, key: 3)
            #expect(again.noisy.values == sample.noisy.values)
            #expect(again.predictions.map(\.values) == sample.predictions.map(\.values))
            let other = try source.sample(for: .distilled, crop: 24, key: 4)
            #expect(other.predictions.map(\.values) != sample.predictions.map(\.values))
        }
    }

    /// Every stride of 1 to 5, and always the model's own without and with refinement.
    @Test func predictionsDifferInStrideAndRefinement() throws {
        try withTemporaryPath { folder in
            let model = try Small.model(in: try Small.folder("models", in: folder), ["variant": "P", "stride": "3"])
            let drawn = (0..<60).map { AMSNetVariation.drawn(for: model, seed: $0) }
            #expect(Set(drawn.map { $0[1].stride }) == [1, 2, 3, 4, 5])
            for variations in drawn {
                #expect(variations[0] == AMSNetVariation(stride: 3, refinements: 0))
                #expect(variations[2] == AMSNetVariation(stride: 3, refinements: 2))
            }
        }
    }

    /// A D-BSN draws its own noise on clean crops; others leave the pairs as they are.
    @Test(arguments: BayesianDBSN.Noise.allCases) func cleanCropsGetTheNoiseThatTheTeacherLearned(
        noise: BayesianDBSN.Noise
    ) throws {
        try withTemporaryPath { folder in
            let folder = try Small.folder("models", in: folder)
            let source = try Self.source(["variant": "dbsn"], cleanShare: 1, dbsn: noise, in: folder)
            let sample = try source.sample(for: .distilled, crop: 20, key: 1)
            #expect(sample.clean?.values == Tensor([3, 1, 20, 20], repeating: 0.5).values)
            #expect(sample.predictions.isEmpty && sample.noisy.isFinite)
            let pair = try Photographs().sample(for: .supervised, crop: 20, key: 1)
            #expect(sample.noisy.values != pair.noisy.values && sample.noisy.values != sample.clean?.values)
            let others = try Self.source(["variant": "P"], cleanShare: 1, in: folder)
            #expect(try others.sample(for: .distilled, crop: 20, key: 1).noisy.values == pair.noisy.values)
            let noisy = try Self.source(["variant": "dbsn"], dbsn: noise, in: folder)
            #expect(try noisy.sample(for: .distilled, crop: 20, key: 1).predictions.count == 1)
        }
    }

    @Test func bothKindsOfPhotographsAreMetInTheirShares() throws {
        try withTemporaryPath { folder in
            let source = try Self.source(
                ["variant": "plain"], cleanShare: 0.25, in: try Small.folder("models", in: folder))
            let clean = try (0..<200).count { try source.sample(for: .distilled, crop: 8, key: $0).clean != nil }
            // Four deviations of 200 draws: 0.12.
            #expect(abs(Double(clean) / 200 - 0.25) < 0.13)
            #expect(try source.sample(for: .masked, crop: 8, key: 1).predictions.isEmpty)
        }
    }

    /// A student that is stopped after every step ends with the bytes of one that was left alone.
    @Test(arguments: [("P", nil), ("dbsn", BayesianDBSN.Noise.heteroscedastic)]) func studentsResumeToTheSameBytes(
        variant: String, noise: BayesianDBSN.Noise?
    ) throws {
        try withTemporaryPath { folder in
            let models = try Small.folder("models", in: folder)
            let source = try Self.source(["variant": variant], cleanShare: 0.5, dbsn: noise, in: models)
            let network = StudentUNet(.init(width: 3, decoder: 4, reduction: 2))
            let plan = TrainingPlan(
                stages: [.init(.distilled, steps: 4, rate: 1e-3)], batch: 2, crop: 20, seed: 6)
            func fresh(_ name: String) -> TrainingRun {
                TrainingRun(
                    Trainer(network: network, plan: plan, weights: Weights(initialising: network, seed: 2)),
                    checkpoint: models.appending(name))
            }
            var whole = fresh("whole")
            try whole.run(from: source, threads: 2) { _ in }
            var stopped = fresh("stopped")
            for _ in 0..<4 {
                var left = 1
                try stopped.run(
                    from: source, threads: 1,
                    shouldStop: {
                        left -= 1
                        return left < 0
                    }, report: { _ in })
                stopped = try TrainingRun(resuming: models.appending("stopped"))
            }
            #expect(stopped.trainer.isFinished)
            #expect(try Small.bytes(models.appending("stopped")) == Small.bytes(models.appending("whole")))
        }
    }
}
