import ArgumentParser
import Denoising
import Foundation
import Imaging
import Methods
import Networks
import SystemPackage

/// Training from scratch or from a model.
struct Train: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Train a model on noisy captures: AMSNet stage B, then P.",
        discussion: """
            With --clean, the network first learns from synthetic noise on clean photographs;
            that makes stage B short.

            Metrics (metrics.jsonl) and the loss curve (loss.svg) lie in a folder beside --out.

            denoised train --noisy captures/ --steps 20000 --out mine.safetensors
            denoised train --clean photos/ --clean-steps 15000 --out clean.safetensors
            denoised train --from clean.safetensors --noisy captures/ --steps 1000 --out mine.safetensors
            denoised train --method dbsn --noisy captures/ --stride 2 --steps 20000 --out dbsn.safetensors
            denoised train --distil denoised --noisy captures/ --network student --steps 20000 --out fast.safetensors
            """)

    @Option(help: "Folders of noisy captures.")
    var noisy: [String] = []

    @Option(help: "Folders of clean photographs for synthetic pairs.")
    var clean: [String] = []

    @Option(help: "Architecture: \(NetworkConfiguration.names).")
    var network = Train.defaultNetwork

    @Option(help: "Steps of stages B and P together, a fifth of them P; or of --method dbsn, or of --distil.")
    var steps = 0

    @Option(help: "Steps on synthetic pairs before stage B.")
    var cleanSteps = 0

    @Option(help: "Steps of blind-spot training instead of B and P, for use with --method plain; needs network d-a.")
    var blindSpotSteps = 0

    @Option(help: "Steps on synthetic pairs with nothing hidden, for use with --method plain.")
    var supervisedSteps = 0

    @Option(help: "Learning rate at the start of the stages on synthetic pairs, and of --distil.")
    var cleanRate = 8e-4

    @Option(help: "Learning rate at the start of stages B and P.")
    var rate = 1e-4

    @Option(help: "Crops that are worked on together.")
    var batch = 4

    @Option(help: "Batches whose gradients are added up for each step: large steps in little memory.")
    var accumulate = 1

    @Option(help: "Side of a crop in pixels, a multiple of 40.")
    var crop = 160

    @Option(
        help:
            "Stride of pixel downsampling that inference with this model begins with; default: as --from, else chosen by the photograph's noise. D-BSN learns at it too; its default is 1."
    )
    var stride: Int?

    @Option(help: "Model file to write; its checkpoint lies beside it.")
    var out: String

    @Option(help: "Model to start from, by name or file; its network counts.")
    var from: String?

    @Option(help: "Share of noisy pixels that refinement copies put back; default: as --from, else 0.16.")
    var replacement: Double?

    @Option(help: "Seed of weights, crops and masks.")
    var seed: UInt64 = 0

    @OptionGroup var workers: WorkerOptions

    @Option(help: "What the data are and their licence, for the model's metadata.")
    var data: String?

    @Option(help: "Steps between two looks at captures that are never learned from; 0: learn from all of them.")
    var validateEvery = 0

    @Option(help: "Looks without a new best after which training ends; default: go on to the last step.")
    var patience: Int?

    @Option(help: "Steps between two checkpoints.")
    var saveEvery = 500

    @Flag(help: "Continue from the checkpoint beside --out.")
    var resume = false

    @OptionGroup var dbsn: DBSNTrainingOptions

    @OptionGroup var distillation: DistillationOptions

    private static let defaultNetwork = "nafnet-compact"

    private var checkpoint: FilePath { FilePath(out + ".checkpoint") }
    /// Metrics and the loss curve.
    private var records: FilePath { FilePath(out + ".training") }

    func validate() throws {
        guard resume || steps + cleanSteps + blindSpotSteps + supervisedSteps > 0 else {
            throw ValidationError(
                "nothing to do: give --steps, --clean-steps, --supervised-steps or --blind-spot-steps")
        }
        try distillation.check(
            othersSteps: cleanSteps + supervisedSteps + blindSpotSteps, steps: steps, noisy: noisy, clean: clean,
            validateEvery: validateEvery)
        guard steps + blindSpotSteps == 0 || !noisy.isEmpty || distillation.isChosen else {
            throw ValidationError("--steps and --blind-spot-steps need --noisy, a folder of captures")
        }
        guard steps == 0 || blindSpotSteps == 0 else {
            throw ValidationError("--steps and --blind-spot-steps exclude each other")
        }
        guard cleanSteps + supervisedSteps == 0 || !clean.isEmpty else {
            throw ValidationError("--clean-steps and --supervised-steps need --clean, a folder of clean photographs")
        }
        guard try dbsn.configuration(network, default: Self.defaultNetwork) != nil else {
            throw ValidationError("there is no network \(network)")
        }
        guard
            dbsn.method == .amsnet || cleanSteps + supervisedSteps + blindSpotSteps == 0 && !distillation.isChosen
        else {
            throw ValidationError("--method dbsn learns from noisy captures alone: give --steps")
        }
        guard batch > 0, accumulate > 0 else { throw ValidationError("--batch and --accumulate must be at least 1") }
        guard validateEvery >= 0, patience ?? 1 > 0, saveEvery > 0 else {
            throw ValidationError("--validate-every must be at least 0, --patience and --save-every at least 1")
        }
        guard patience == nil || validateEvery > 0 else { throw ValidationError("--patience needs --validate-every") }
        guard crop > 0, crop % 40 == 0 else { throw ValidationError("--crop must be a multiple of 40") }
        guard (0...1).contains(replacement ?? 0) else { throw ValidationError("--replacement must be between 0 and 1") }
        guard (1...8).contains(stride ?? 1) else { throw ValidationError("--stride must be between 1 and 8") }
    }

    func run() throws {
        Politeness.becomeNice()
        let parent = try from.map { try ModelStore(state: nil).model(named: $0) }
        var run = try resume ? TrainingRun(resuming: checkpoint) : start(from: parent)
        let folder = try TrainingFolder(
            noisy: noisy.map { FilePath($0) }, clean: clean.map { FilePath($0) }, side: run.trainer.plan.crop,
            holdsOut: validateEvery > 0, decoder: .confined
        ) { Console.error("denoised: skipped \($0)") }
        Console.error("learning from \(folder.count.noisy) captures and \(folder.count.clean) clean photographs")
        let (source, teacher) = try distillation.source(folder, for: run.trainer.plan)
        var log = try TrainingLog(folder: records, keeping: run.trainer.step)
        try run.run(
            from: source, validation: try validation(by: folder, run.trainer.plan),
            threads: workers.count, saveEvery: saveEvery
        ) { progress in
            try log.append(TrainingLog.Line(progress))
            print(progress.line)
            fflush(nil)
        }
        var metadata = metadata(run, parent)
        metadata["teacher"] = teacher?.description
        if let noise = try DBSNTrainingOptions.noise(run, folder) {
            metadata["noise_deviation"] = noise
            print("noise of \(noise) of 255 in red, green and blue")
        }
        try Model.write(run.weights, of: run.trainer.network, metadata: metadata, to: FilePath(out))
        if let best = run.best { print("best at step \(best.step): validation \(String(format: "%.5f", best.loss))") }
        print("wrote \(out)")
    }

    /// Fixed crops of what is held out, at the stride of the stage that comes last.
    private func validation(by source: TrainingFolder, _ plan: TrainingPlan) throws -> Validation? {
        guard validateEvery > 0, let last = plan.stages.last else { return nil }
        return Validation(
            samples: try source.validationSamples(for: last.objective, crop: plan.crop),
            stride: last.objective == .synthetic ? stride ?? 1 : 5, every: validateEvery, patience: patience)
    }

    private func start(from parent: Model?) throws -> TrainingRun {
        let stages =
            dbsn.stages(steps: steps) ?? distillation.stages(steps: steps, rate: cleanRate) ?? [
                TrainingPlan.Stage(.supervised, steps: supervisedSteps, rate: cleanRate),
                TrainingPlan.Stage(.synthetic, steps: cleanSteps, rate: cleanRate),
                TrainingPlan.Stage(.masked, steps: steps - steps / 5, rate: rate),
                TrainingPlan.Stage(.transfer, steps: steps / 5, rate: rate / 2),
                TrainingPlan.Stage(.blindSpot, steps: blindSpotSteps, rate: rate),
            ]
        func plan(_ hiddenPixels: HiddenPixels) -> TrainingPlan {
            TrainingPlan(
                stages: stages, batch: batch, accumulation: accumulate, crop: crop, seed: seed,
                hiddenPixels: hiddenPixels,
                downsampling: dbsn.method == .dbsn ? stride ?? parent?.plainStride ?? 1 : nil)
        }
        if let parent {
            return TrainingRun(
                Trainer(network: parent.network, plan: plan(parent.hiddenPixels), weights: parent.weights),
                checkpoint: checkpoint)
        }
        guard let configuration = try dbsn.configuration(network, default: Self.defaultNetwork) else {
            throw ValidationError("there is no network \(network)")
        }
        let made = configuration.makeNetwork()
        return TrainingRun(
            Trainer(network: made, plan: plan(.neighbours), weights: Weights(initialising: made, seed: seed)),
            checkpoint: checkpoint)
    }

    private func metadata(_ run: TrainingRun, _ parent: Model?) -> [String: String] {
        let plan = run.trainer.plan
        let replacement = replacement ?? parent?.replacement ?? AMSNet.publishedReplacement
        let objectives = Set(plan.stages.map(\.objective))
        let isBlindSpot = objectives.contains(.blindSpot)
        var metadata = [
            "variant": isBlindSpot
                ? "blind-spot"
                : objectives.isSubset(of: [.supervised, .distilled])
                    ? "plain" : objectives.contains(.transfer) ? "P" : "B",
            "steps": plan.stages.map { "\($0.objective.rawValue) \($0.steps)" }.joined(separator: ", "),
            "seed": "\(plan.seed)", "batch": "\(plan.batch * plan.accumulation)", "crop": "\(plan.crop)",
            "hidden_pixels": plan.hiddenPixels.rawValue, "replacement": "\(replacement)",
        ]
        metadata["stride"] = (stride ?? parent?.stride).map { "\($0)" }
        if isBlindSpot {
            // As AP-BSN: taught at stride 5, used at 2.
            metadata["plain_stride"] = "2"
        } else if objectives.contains(where: { $0.needsClean || $0 == .distilled }) {
            metadata["plain_stride"] = "1"
        } else {
            metadata["plain_stride"] = parent?.metadata["plain_stride"]
        }
        metadata.merge(DBSNTrainingOptions.metadata(plan, run.trainer.network) ?? [:]) { $1 }
        metadata["best_step"] = run.best.map { "\($0.step)" }
        metadata["data"] = data
        metadata["parent"] = from
        return metadata
    }
}
