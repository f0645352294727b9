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

    /// - Parameter progress: called with the finished share, 0…1.
    /// - Throws: `NonFiniteOutput`, which is no better than any objection.
    public func compare(
        _ candidate: Model, with base: Model, progress: (Double) -> Void = { _ in }
    ) throws -> Judgement {
        var trials: [Judgement.Trial] = []
        for (index, capture) in captures.enumerated() {
            let before = try RiskEstimate(of: base, on: capture, options: options, seed: UInt64(index))
            let after = try RiskEstimate(
                of: candidate, on: capture, options: options, seed: UInt64(index), excess: before.excess)
            // What the model in use removes follows the true noise of a capture best, and so does its error.
            let scale = max(before.removed, before.noise / 4)
            trials.append(
                Judgement.Trial(
                    before: .init(least: before.least / scale, most: before.most / scale),
                    after: .init(least: after.least / scale, most: after.most / scale),
                    structureBefore: before.structure, structureAfter: after.structure, scale: scale))
            progress(Double(index + 1) / Double(captures.count + 2))
        }
        let before = try pinned.scores(of: base, options: options)
        let after = try pinned.scores(of: candidate, options: options)
        progress(1)
        return Judgement(trials: trials, pinnedBefore: before, pinnedAfter: after)
    }
}
