import Foundation
import Imaging
import Networks

/// Compares models on captures without knowing the truth, and on the pinned set with it.
public struct ModelJudge: Sendable {
    let captures: [Capture]
    let pinned: PinnedSet
    /// Preset, method and threads that both models are run with.
    let options: ImageOptions

    public init(captures: [Capture], pinned: PinnedSet, threads: Int) {
        self.captures = captures
        self.pinned = pinned
        var options = ImageOptions()
        options.preset = .balanced
        options.threads = threads
        self.options = options
    }

    /// What the pinned set says of a model.
    ///
    /// - Throws: `NonFiniteOutput`, which is no better than any objection.
    public func pinnedScores(of model: Model) throws -> PinnedSet.Scores {
        try pinned.scores(of: model, options: options)
    }

    /// What the captures say of a candidate; those whose texture was measured as noise do not count (`NoiseCredibility`).
    ///
    /// - Parameters:
    ///   - scores: of the pinned set, before and after.
    ///   - progress: called with the finished share, 0…1.
    /// - Throws: `NonFiniteOutput`.
    public func compare(
        _ candidate: Model, with base: Model, pinned scores: (before: PinnedSet.Scores, after: PinnedSet.Scores),
        progress: (Double) -> Void = { _ in }
    ) throws -> Judgement {
        var trials: [(trial: Judgement.Trial, measuredShare: Float)] = []
        for (index, capture) in captures.enumerated() {
            let before = try RiskEstimate(of: base, on: capture, options: options, seed: UInt64(index))
            let after = try RiskEstimate(
                of: candidate, on: capture, options: options, seed: UInt64(index), excess: before.excess)
            // What the model in use removes follows the true noise of a capture best, and so does its error.
            let scale = max(before.removed, before.noise / 4)
            let trial = Judgement.Trial(
                before: .init(least: before.least / scale, most: before.most / scale),
                after: .init(least: after.least / scale, most: after.most / scale),
                structureBefore: before.structure, structureAfter: after.structure, scale: scale)
            trials.append((trial, NoiseCredibility.share(of: capture, beside: before.denoised)))
            progress(Double(index + 1) / Double(captures.count))
        }
        let credibility = NoiseCredibility(trials.map(\.measuredShare))
        return Judgement(
            trials: trials.filter { credibility.believes($0.measuredShare) }.map(\.trial),
            pinnedBefore: scores.before, pinnedAfter: scores.after)
    }
}
