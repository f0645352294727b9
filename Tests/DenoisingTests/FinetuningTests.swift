@testable import Denoising
import Foundation
import Imaging
import Methods
import Networks
import SystemPackage
import Tensors
import TestSupport
import Testing

@Suite struct FinetuningTests {
    private func options(steps: Int = 60) -> Finetuning.Options {
        var options = Finetuning.Options()
        options.length = .steps(steps)
        options.batch = 2
        options.crop = 40
        options.rate = 2e-3
        options.threads = 2
        return options
    }

    private func judge(_ set: CaptureSet) -> ModelJudge {
        ModelJudge(captures: set.heldOut, pinned: Scenes.pinned, threads: 2)
    }

    /// There is a tint to unlearn.
    @Test func aPoorModelIsMadeBetterAndPromoted() throws {
        try withTemporaryPath { folder in
            let base = try Scenes.tinted(in: folder)
            let set = try Scenes.set()
            let finetuning = Finetuning(
                base: base, captures: set, rehearsal: Scenes.rehearsal, options: options(),
                folder: folder.appending("finetune"))
            var phases = 0
            let run = try #require(try finetuning.train(shouldStop: { false }) { _ in phases += 1 })
            #expect(phases > set.count)
            let candidate = try finetuning.candidate(of: run, judgedBy: judge(set), against: base)
            #expect(candidate.objection == nil, "\(candidate.objection ?? "")")
            let model = try Model(contentsOf: candidate.path)
            #expect(model.hash == candidate.hash && model.hash != base.hash)
            #expect(model.metadata["parent_sha256"] == base.hash)
            #expect(model.stride == base.stride && model.hiddenPixels == base.hiddenPixels)
            for figure in ["held_out_gain", "held_out_before", "held_out_after", "pinned_before", "pinned_worst_loss"] {
                #expect(model.metadata[figure].flatMap(Double.init) == candidate.judgement?.figures[figure])
            }
            #expect(try Small.names(in: folder.appending("finetune")).contains("metrics.jsonl"))
        }
    }

    /// The gain is real: the truth, which nothing above has seen, agrees.
    @Test func theTruthAgreesWithThePromotion() throws {
        try withTemporaryPath { folder in
            let base = try Scenes.tinted(in: folder)
            let set = try Scenes.set()
            let finetuning = Finetuning(
                base: base, captures: set, rehearsal: Scenes.rehearsal, options: options(),
                folder: folder.appending("finetune"))
            let run = try #require(try finetuning.train(shouldStop: { false }) { _ in })
            let found = try finetuning.candidate(of: run, judgedBy: judge(set), against: base)
            let candidate = try Model(contentsOf: found.path)
            let (capture, clean) = try Scenes.capture(40)
            var balanced = ImageOptions()
            balanced.preset = .balanced
            let psnr = try [base, candidate].map { model in
                try QualityMetrics.psnr(
                    RiskEstimate.denoised(capture.pixels, model, balanced, noiseSample: capture.pixels, seed: 1), clean)
            }
            #expect(psnr[1] > psnr[0] + 0.5)
        }
    }

    @Test func aRunThatIsStoppedGoesOnToTheSameBytes() throws {
        try withTemporaryPath { folder in
            let base = try Scenes.tinted(in: folder)
            let set = try Scenes.set()
            func train(_ name: String, stopAfter calls: Int) throws -> TrainingRun? {
                var left = calls
                let finetuning = Finetuning(
                    base: base, captures: set, rehearsal: Scenes.rehearsal, options: options(steps: 40),
                    folder: folder.appending(name))
                return try finetuning.train(
                    shouldStop: {
                        left -= 1
                        return left < 0
                    }, report: { _ in })
            }
            let whole = try #require(try train("whole", stopAfter: .max))
            #expect(try train("stopped", stopAfter: 3) == nil)
            // Preparation asks once for each capture, then each step does.
            #expect(try train("stopped", stopAfter: set.count + 17) == nil)
            let resumed = try #require(try train("stopped", stopAfter: .max))
            #expect(resumed.weights.tensors.mapValues(\.values) == whole.weights.tensors.mapValues(\.values))
            #expect(
                try Small.bytes(folder.appending("stopped/checkpoint"))
                    == Small.bytes(folder.appending("whole/checkpoint")))
        }
    }

    /// A rate at which every weight leaves the numbers: training says so, and there is no candidate.
    @Test func aPoisonedRunEndsWithoutACandidate() throws {
        try withTemporaryPath { folder in
            let base = try Scenes.tinted(in: folder)
            var poisoned = options()
            poisoned.rate = 1e30
            let finetuning = Finetuning(
                base: base, captures: try Scenes.set(), rehearsal: Scenes.rehearsal, options: poisoned,
                folder: folder.appending("finetune"))
            let error = #expect(throws: TrainingError.self) { try finetuning.train(shouldStop: { false }) { _ in } }
            #expect(error != nil)
        }
    }

    /// Too high a rate to learn anything: validation keeps the weights that training began with, which gain nothing.
    @Test func aRunThatOnlyHarmsIsNotPromoted() throws {
        try withTemporaryPath { folder in
            let set = try Scenes.set()
            let poor = try Scenes.tinted(in: folder)
            let taught = Finetuning(
                base: poor, captures: set, rehearsal: Scenes.rehearsal, options: options(),
                folder: folder.appending("first"))
            let run = try #require(try taught.train(shouldStop: { false }) { _ in })
            let good = try Model(contentsOf: taught.candidate(of: run, judgedBy: judge(set), against: poor).path)
            var harmful = options(steps: 25)
            harmful.rate = 3
            let finetuning = Finetuning(
                base: good, captures: set, rehearsal: Scenes.rehearsal, options: harmful,
                folder: folder.appending("second"))
            do {
                guard let run = try finetuning.train(shouldStop: { false }, report: { _ in }) else { return }
                let candidate = try finetuning.candidate(of: run, judgedBy: judge(set), against: good)
                #expect(candidate.objection != nil)
            } catch is TrainingError {
                // That is an end without a candidate as well.
            }
        }
    }
}
