import Foundation

/// What was found when a candidate was compared with the model that it came from.
public struct Judgement: Sendable, Equatable {
    /// Mean square error by `RiskEstimate`, as a share of what the model in use removes from the capture.
    public struct Risk: Sendable, Equatable {
        public var least: Double
        public var most: Double

        public init(least: Double, most: Double) {
            self.least = least
            self.most = most
        }
    }

    /// One held-out capture under both models.
    public struct Trial: Sendable, Equatable {
        public var before: Risk
        public var after: Risk
        /// Correlation of what was removed with the Laplacian of what is left, 0…1 (`ResidualStructure`).
        public var structureBefore: Double
        public var structureAfter: Double
        /// What these are shares of, in squared units of 1.
        public var scale: Double

        public init(before: Risk, after: Risk, structureBefore: Double, structureAfter: Double, scale: Double) {
            self.before = before
            self.after = after
            self.structureBefore = structureBefore
            self.structureAfter = structureAfter
            self.scale = scale
        }

        /// What was gained, whichever noise it is: the smaller of both.
        var gain: Double { min(before.least - after.least, before.most - after.most) }
    }

    public let trials: [Trial]
    public let pinnedBefore: PinnedSet.Scores
    public let pinnedAfter: PinnedSet.Scores

    public init(trials: [Trial], pinnedBefore: PinnedSet.Scores, pinnedAfter: PinnedSet.Scores) {
        self.trials = trials
        self.pinnedBefore = pinnedBefore
        self.pinnedAfter = pinnedAfter
    }

    /// What must be shown at least: so much less error, on average over the held-out captures.
    static let leastGain = 0.003
    /// What `evidence` must reach: chance alone would do that once in ten times.
    static let certainty = 1.28
    /// What the pinned set may lose on average, in dB: less than one sees or other masks would change.
    static let pinnedTolerance = 0.02
    /// What one crop of it may lose, in dB.
    static let worstTolerance = 0.5
    /// What `ResidualStructure` may rise by, and how many times it may grow: either alone is within its scatter.
    static let structureTolerance = (rise: 0.05, growth: 1.5)

    /// Mean of what the held-out captures gained, as a share of what the model in use removes from them.
    public var gain: Double { mean(trials.map(\.gain)) }

    /// How many standard deviations the gains lie above those of two equal models, by Wilcoxon's signed ranks (1945):
    /// one capture whose noise is mistaken for several times what it is moves a mean, but hardly its rank.
    public var evidence: Double {
        let gains = trials.map(\.gain).filter { $0 != 0 }.sorted { abs($0) < abs($1) }
        let n = Double(gains.count)
        guard n > 0 else { return 0 }
        let positive = gains.enumerated().reduce(0.0) { $0 + ($1.element > 0 ? Double($1.offset + 1) : 0) }
        return (positive - n * (n + 1) / 4) / (n * (n + 1) * (2 * n + 1) / 24).squareRoot()
    }

    /// Estimated PSNR of the held-out captures in dB, before and after: of their mean square error.
    public var heldOutBefore: Double? { psnr { $0.before.least } }
    public var heldOutAfter: Double? { psnr { $0.after.least } }

    /// Why the candidate is not better; nil if it is to be promoted.
    public var objection: String? {
        func number(_ value: Double, _ digits: Int = 2) -> String { String(format: "%.\(digits)f", value) }
        guard gain.isFinite, pinnedAfter.mean.isFinite else { return "its output is not finite" }
        if gain < Self.leastGain {
            return "it is no better on the held-out captures: error lower by \(number(100 * gain, 1)) %"
        }
        if evidence < Self.certainty {
            return "the gain on the held-out captures is not certain: error lower by \(number(100 * gain, 1)) %, but "
                + "only on \(trials.count { $0.gain > 0 }) of \(trials.count)"
        }
        let structure = (before: mean(trials.map(\.structureBefore)), after: mean(trials.map(\.structureAfter)))
        if structure.after > structure.before + Self.structureTolerance.rise,
            structure.after > structure.before * Self.structureTolerance.growth
        {
            return "it takes more of the picture away with the noise: residual structure "
                + "\(number(structure.before, 3)), then \(number(structure.after, 3))"
        }
        return Self.objection(pinnedBefore: pinnedBefore, after: pinnedAfter)
    }

    /// What a candidate has forgotten; nil if nothing that counts.
    static func objection(pinnedBefore before: PinnedSet.Scores, after: PinnedSet.Scores) -> String? {
        let loss = before.mean - after.mean
        if loss > pinnedTolerance { return String(format: "it loses %.2f dB on the pinned photographs", loss) }
        if let worst = after.worst(since: before), worst.before - worst.after > worstTolerance {
            return String(
                format: "one of the pinned photographs (number %d) loses %.2f dB: %.2f, then %.2f", worst.index + 1,
                worst.before - worst.after, worst.before, worst.after)
        }
        return nil
    }

    /// Every figure by name, for the model's metadata and the ledger.
    public var figures: [String: Double] {
        var figures: [String: Double] = [
            "held_out_captures": Double(trials.count), "held_out_gain": gain, "held_out_evidence": evidence,
            "held_out_better": Double(trials.count { $0.gain > 0 }),
            "structure_before": mean(trials.map(\.structureBefore)),
            "structure_after": mean(trials.map(\.structureAfter)),
            "pinned_before": pinnedBefore.mean, "pinned_after": pinnedAfter.mean,
            "pinned_worst_loss": pinnedAfter.worstLoss(since: pinnedBefore),
        ]
        figures["held_out_before"] = heldOutBefore
        figures["held_out_after"] = heldOutAfter
        return figures.filter { $0.value.isFinite }
    }

    /// What it gained, in one line.
    public var merit: String {
        String(
            format: "error on %d held-out captures lower by %.1f %% of what is removed; pinned photographs %+.2f dB",
            trials.count, 100 * gain, pinnedAfter.mean - pinnedBefore.mean)
    }

    private func psnr(_ error: (Trial) -> Double) -> Double? {
        let mean = mean(trials.map { max(error($0), 0.001) * $0.scale })
        return mean > 0 && mean.isFinite ? -10 * log10(mean) : nil
    }

    private func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(max(values.count, 1)) }
}
