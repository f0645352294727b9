import Foundation
import Imaging
import Methods
import Networks
import SystemPackage
import Tensors

/// Fits a model to captures: prepares what it learns from, trains, and writes the candidate. Whether it is any better
/// is for `ModelJudge` to say.
///
/// Everything that has to survive an interruption lies in one folder; a run that finds there the traces of an earlier
/// one with the same model and captures goes on where that one stopped.
public struct Finetuning {
    /// How long to train.
    public enum Length: Sendable, Equatable {
        case steps(Int)
        /// Preparation and judging included.
        case minutes(Double)
    }

    /// What training looks like.
    public struct Options: Sendable {
        public var length = Length.minutes(30)
        public var seed: UInt64 = 0
        /// Whose captures alone they are, for the candidate's metadata.
        public var camera: Camera?
        public var threads = processorCount
        /// Crops of each step and their side, a multiple of 40.
        public var batch = 4
        public var crop = 120
        /// Learning rate of the last stage at its start; stages B and P begin with a fortieth and an eightieth.
        public var rate = 4e-4

        public init() {}
    }

    /// What is being done, for people who wait.
    public enum Phase: Sendable {
        /// The finished share, 0…1.
        case preparing(Double)
        case training(TrainingRun.Progress)
    }

    let base: Model
    private let captures: CaptureSet
    private let rehearsal: RehearsalSet
    private let options: Options
    let folder: FilePath
    private let start: ContinuousClock.Instant

    /// - Parameters:
    ///   - base: the model to begin with, one of AMSNet's.
    ///   - folder: for the checkpoint, metrics and loss curve; created where missing.
    public init(base: Model, captures: CaptureSet, rehearsal: RehearsalSet, options: Options, folder: FilePath) {
        self.base = base
        self.captures = captures
        self.rehearsal = rehearsal
        self.options = options
        self.folder = folder
        start = .now
    }

    /// Trains to the end or until it is told to stop.
    ///
    /// - Parameter shouldStop: asked before each step and each capture; when true, what was done is kept in the folder.
    /// - Returns: the run at its end; nil where it was told to stop, for another with the same arguments to continue.
    /// - Throws: `TrainingError.diverged`, `NonFiniteOutput`.
    public func train(shouldStop: () -> Bool, report: (Phase) throws -> Void) throws -> TrainingRun? {
        guard let items = try prepared(captures.training, shouldStop, { try report(.preparing($0 * 0.8)) }),
            let held = try prepared(
                Array(captures.heldOut.prefix(Self.mostValidated)), shouldStop,
                { try report(.preparing(0.8 + $0 * 0.2)) })
        else { return nil }
        let source = AdaptationSource(items: items, rehearsal: rehearsal)
        var run = try resumed() ?? begun(with: source)
        var log = try TrainingLog(folder: folder, keeping: run.trainer.step)
        var isStopped = false
        try run.run(
            from: source, validation: try validation(on: held, steps: run.trainer.plan.steps),
            threads: options.threads, reportEvery: 50, saveEvery: 50, deadline: deadline,
            shouldStop: {
                isStopped = shouldStop()
                return isStopped
            },
            report: { progress in
                try log.append(TrainingLog.Line(progress))
                try report(.training(progress))
            })
        return isStopped ? nil : run
    }

    /// Removes what a later run would continue with.
    public func forget() {
        for name in ["checkpoint", "identity"] {
            try? FileManager.default.removeItem(atPath: folder.appending(name).string)
        }
    }

    // MARK: - What is learned from

    /// Captures that the errors during training are measured on.
    private static let mostValidated = 6

    /// What the most careful preset makes of the captures.
    private func prepared(
        _ captures: [Capture], _ shouldStop: () -> Bool, _ progress: (Double) throws -> Void
    ) throws -> [AdaptationSource.Item]? {
        var careful = ImageOptions()
        careful.preset = .best
        careful.refinements = 3
        careful.threads = options.threads
        var items: [AdaptationSource.Item] = []
        for capture in captures {
            if shouldStop() { return nil }
            let estimate = try RiskEstimate.denoised(
                capture.pixels, base, careful, noiseSample: capture.pixels, seed: 1)
            items.append(AdaptationSource.Item(capture, estimate: estimate))
            try progress(Double(items.count) / Double(captures.count))
        }
        return items
    }

    /// Fixed crops of captures that are never learned from, with their own noise drawn anew.
    private func validation(on held: [AdaptationSource.Item], steps: Int) throws -> Validation {
        let source = AdaptationSource(
            items: held, rehearsal: rehearsal, shares: .init(distillation: 0, ownNoise: 0.8))
        let samples = try (0..<16).map { index in
            try source.sample(for: .synthetic, crop: 160, key: RandomSource.mix(0x5EED, UInt64(index)))
        }
        // Rates that are high at first cost what they later win back, so that only the end shows who is best.
        return Validation(
            samples: samples, stride: base.stride ?? 1, every: max(25, steps / 20), usesSeenPixels: base.isTaughtPlain)
    }

    // MARK: - The run

    private var checkpoint: FilePath { folder.appending("checkpoint") }

    /// Names everything that the steps depend on.
    private var identity: String {
        "model \(base.hash)\ncaptures \(captures.digest)\nlength \(options.length)\nseed \(options.seed)\n"
            + "batch \(options.batch) crop \(options.crop) rate \(options.rate)\n"
    }

    private func resumed() throws -> TrainingRun? {
        guard let text = try? String(contentsOfFile: folder.appending("identity").string, encoding: .utf8),
            text == identity, FileManager.default.fileExists(atPath: checkpoint.string)
        else { return nil }
        return try? TrainingRun(resuming: checkpoint)
    }

    private func begun(with source: AdaptationSource) throws -> TrainingRun {
        try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
        forget()
        let steps: Int
        switch options.length {
        case .steps(let count): steps = count
        case .minutes(let minutes):
            // What remains after preparing and before judging.
            let seconds = minutes * 60 * (1 - Self.judging) - (ContinuousClock.now - start).seconds
            steps = max(20, Int(seconds / (try secondsPerStep(with: source) * 1.05)))
        }
        try StagedFile.replace(folder.appending("identity"), with: Data(identity.utf8))
        let trainer = Trainer(network: base.network, plan: plan(steps: steps), weights: base.weights)
        return TrainingRun(trainer, checkpoint: checkpoint)
    }

    /// Share of the time that judging takes.
    private static let judging = 0.12

    /// When judging has to begin.
    private var deadline: ContinuousClock.Instant? {
        guard case .minutes(let minutes) = options.length else { return nil }
        return start + .seconds(minutes * 60 * (1 - Self.judging))
    }

    /// Measured on a copy that is thrown away.
    private func secondsPerStep(with source: AdaptationSource) throws -> Double {
        var trial = Trainer(network: base.network, plan: plan(steps: 100), weights: base.weights)
        _ = try trial.advance(from: source, threads: options.threads)
        let start = ContinuousClock.now
        for _ in 0..<4 { _ = try trial.advance(from: source, threads: options.threads) }
        return (ContinuousClock.now - start).seconds / 4
    }

    /// The paper's stages come first, short and careful, then those with targets: in the other order, validation
    /// always went back to weights before B and P, which on few captures undo some of what targets teach.
    private func plan(steps: Int) -> TrainingPlan {
        let (masked, transfer) = (steps / 20, steps / 40)
        return TrainingPlan(
            stages: [
                .init(.masked, steps: masked, rate: options.rate / 40),
                .init(.transfer, steps: transfer, rate: options.rate / 80),
                .init(.synthetic, steps: steps - masked - transfer, rate: options.rate),
            ], batch: options.batch, crop: options.crop, seed: options.seed, hiddenPixels: base.hiddenPixels)
    }

    // MARK: - The candidate

    /// Metadata of a candidate, to which the judge's figures are added.
    public func metadata(of run: TrainingRun) -> [String: String] {
        var metadata = base.metadata.filter { ["licence", "stride", "plain_stride", "replacement"].contains($0.key) }
        let plan = run.trainer.plan
        metadata["variant"] = "P"
        metadata["hidden_pixels"] = base.hiddenPixels.rawValue
        metadata["parent"] = base.name
        metadata["parent_sha256"] = base.hash
        metadata["data"] = "\(captures.training.count) captures, sha256 of their list \(captures.digest)"
        metadata["camera"] = options.camera?.name
        metadata["steps"] = plan.stages.map { "\($0.objective.rawValue) \($0.steps)" }.joined(separator: ", ")
        metadata["best_step"] = run.best.map { "\($0.step)" }
        metadata["seed"] = "\(plan.seed)"
        metadata["batch"] = "\(plan.batch)"
        metadata["crop"] = "\(plan.crop)"
        return metadata
    }
}

extension TrainingLog.Line {
    public init(_ progress: TrainingRun.Progress) {
        self.init(
            step: progress.step, objective: progress.objective.rawValue, loss: progress.loss, rate: progress.rate,
            secondsPerStep: progress.secondsPerStep, validation: progress.validation)
    }
}
