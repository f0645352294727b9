@testable import Denoising
import Foundation
import Imaging
import Networks
import SystemPackage
import Tensors
import Testing

@Suite struct JudgementTests {
    private func judgement(
        gains: [Double], most: [Double]? = nil, structure: Double = 0, pinned: [Double] = [30, 31]
    ) -> Judgement {
        let trials = zip(gains, most ?? gains).map { least, most in
            Judgement.Trial(
                before: .init(least: 0.3, most: 0.9), after: .init(least: 0.3 - least, most: 0.9 - most),
                structureBefore: 0.05, structureAfter: 0.05 + structure, scale: 1e-4)
        }
        return Judgement(
            trials: trials, pinnedBefore: .init(values: [30, 31]), pinnedAfter: .init(values: pinned))
    }

    @Test func whatIsBetterEverywhereIsPromoted() {
        #expect(judgement(gains: [0.02, 0.03, 0.01]).objection == nil)
        #expect(judgement(gains: [0.02, 0.03, 0.01], pinned: [30.2, 30.9]).objection == nil)
        #expect(judgement(gains: [0.02, 0.03, 0.01]).figures["held_out_after"] ?? 0 > 45)
    }

    /// Of sixteen captures one is mistaken: the mean is uncertain, the ranks are not.
    @Test func oneMistakenCaptureDoesNotDecide() {
        let gains = (1...15).map { 0.01 * Double($0 % 5 + 1) } + [-0.3]
        #expect(judgement(gains: gains).objection == nil)
        #expect(judgement(gains: gains).evidence > 1.28)
        #expect(abs(judgement(gains: [3, -1, 2]).evidence - 2 / 3.5.squareRoot()) < 1e-12)
    }

    @Test func everyDoubtIsAnObjectionInWords() {
        let doubts: [(Judgement, String)] = [
            (judgement(gains: [0, 0, 0]), "no better on the held-out captures"),
            (judgement(gains: [-0.02, -0.01, 0.01]), "no better on the held-out captures"),
            (judgement(gains: [0.02, 0.03, 0.01], most: [-0.1, -0.1, -0.1]), "no better on the held-out captures"),
            (judgement(gains: [0.2, -0.1, 0.01, -0.04]), "not certain"),
            (judgement(gains: [0.05]), "not certain"),
            (judgement(gains: []), "no better"),
            (judgement(gains: [0.02, 0.03, .nan]), "not finite"),
            (judgement(gains: [0.02, 0.03, 0.01], structure: 0.06), "more of the picture"),
            (judgement(gains: [0.02, 0.03, 0.01], pinned: [29.9, 30.9]), "loses 0.10 dB on the pinned"),
            (
                judgement(gains: [0.02, 0.03, 0.01], pinned: [29.4, 31.8]),
                "one of the pinned photographs (number 1) loses 0.60 dB: 30.00, then 29.40"
            ),
            (judgement(gains: [0.02, 0.03, 0.01], pinned: [30, .nan]), "not finite"),
        ]
        for (judgement, words) in doubts {
            #expect(judgement.objection?.contains(words) == true, "\(words): \(judgement.objection ?? "promoted")")
        }
    }

    /// Noise is independent and known here, so the estimate is unbiased; 12 % is the accuracy of the noise measurement,
    /// whose whole power the estimate takes off.
    @Test(arguments: [0.02, 0.1, 0.25] as [Float]) func theEstimatedErrorIsTheTrueOne(scale: Float) throws {
        try withTemporaryPath { folder in
            let model = try Scenes.model(scale, in: folder)
            let (capture, clean) = try Scenes.capture(3, deviation: 12)
            var options = ImageOptions()
            options.preset = .balanced
            options.threads = 1
            let even = [Float](repeating: 1, count: capture.pixels.width * capture.pixels.height)
            let estimate = try RiskEstimate(of: model, on: capture, options: options, seed: 4, excess: even)
            let denoised = try RiskEstimate.denoised(
                capture.pixels, model, options, noiseSample: capture.pixels, seed: 4)
            let error = zip(denoised.samples, clean.samples).reduce(0.0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
            let truth = error / Double(clean.samples.count)
            #expect(estimate.least == estimate.most)
            #expect(abs(estimate.most - truth) < 0.25 * estimate.noise, "\(estimate.most) for \(truth)")
        }
    }

    /// Twice the deviation on the left half, which the noise of flat areas knows nothing of.
    @Test func whatIsRemovedShowsWhereNoiseIsStronger() throws {
        try withTemporaryPath { folder in
            let (quiet, clean) = try Scenes.capture(3, deviation: 6)
            var pixels = quiet.pixels
            let loud = Scenes.noisy(clean, deviation: 12, seed: 9)
            let half = Tile(x: 0, y: 0, width: pixels.width / 2, height: pixels.height)
            pixels.place(loud.cropped(to: half), row: 0, column: 0)
            let capture = Capture(name: "half", hash: quiet.hash, pixels: pixels, noise: quiet.noise)
            var options = ImageOptions()
            options.preset = .balanced
            options.threads = 1
            let model = try Scenes.model(0.02, in: folder)
            let estimate = try RiskEstimate(of: model, on: capture, options: options, seed: 4)
            func mean(_ columns: Range<Int>) -> Float {
                let values = estimate.excess.indices.filter { columns.contains($0 % pixels.width) }
                return values.reduce(0) { $0 + estimate.excess[$1] } / Float(values.count)
            }
            #expect(estimate.excess.allSatisfy { (1...4).contains($0) })
            // Four times the power is the most that is believed; windows of 8 pixels scatter by a fifth.
            #expect(mean(0..<pixels.width / 2 - 32) > 3)
            #expect(mean(pixels.width / 2 + 32..<pixels.width) < 1.4)
        }
    }

    @Test func theSameModelGainsNothing() throws {
        try withTemporaryPath { folder in
            let model = try Scenes.model(0.1, in: folder)
            let judge = ModelJudge(captures: try Scenes.set().heldOut, pinned: Scenes.pinned, threads: 2)
            let scores = try judge.pinnedScores(of: model)
            let judgement = try judge.compare(model, with: model, pinned: (scores, scores))
            #expect(judgement.gain == 0)
            #expect(judgement.pinnedBefore == judgement.pinnedAfter)
            #expect(judgement.objection != nil)
        }
    }

    /// Three quiet captures, and one of which three times the noise was measured that it has.
    @Test func textureThatWasMeasuredDoesNotJudge() throws {
        try withTemporaryPath { folder in
            let quiet = try [1, 3, 5, 7].map { try Scenes.capture($0, deviation: 4).capture }
            let loud = try Scenes.capture(7, deviation: 12).capture
            let wall = Capture(name: "wall", hash: loud.hash, pixels: quiet[3].pixels, noise: loud.noise)
            let model = try Scenes.model(0.02, in: folder)
            let judge = ModelJudge(captures: [wall] + quiet.dropLast(), pinned: Scenes.pinned, threads: 2)
            let scores = PinnedSet.Scores(values: [30])
            let judgement = try judge.compare(model, with: model, pinned: (scores, scores))
            #expect(judgement.trials.count == 3)
            #expect(judgement.figures["held_out_captures"] == 3)
        }
    }

    @Test func aModelWhoseOutputIsNotFiniteIsNeverCompared() throws {
        try withTemporaryPath { folder in
            let base = try Scenes.model(0.1, in: folder)
            var weights = base.weights
            for (name, factor) in [("intro.weight", Float(1e25)), ("ending.weight", 1e25)] {
                let tensor = try #require(weights.tensors[name])
                weights.tensors[name] = Tensor(tensor.shape, tensor.values.map { $0 * factor })
            }
            let path = folder.appending("huge.safetensors")
            try Model.write(weights, of: base.network, metadata: base.metadata, to: path)
            let huge = try Model(contentsOf: path)
            let judge = ModelJudge(captures: try Scenes.set().heldOut, pinned: Scenes.pinned, threads: 2)
            let error = #expect(throws: NonFiniteOutput.self) { try judge.pinnedScores(of: huge) }
            #expect(error != nil)
        }
    }

    @Test func pinnedScenesAreTheSameEverywhere() throws {
        let again = PinnedSet(clean: Scenes.clean(77, width: 256, height: 128))
        #expect(zip(again.scenes, Scenes.pinned.scenes).allSatisfy { $0.noisy == $1.noisy && $0.clean == $1.clean })
        #expect(again.scenes.count == 6)
        #expect(again.scenes[0].noisy == again.scenes[0].clean)
    }
}
