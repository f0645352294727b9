import ArgumentParser
import DenoiseService
import Denoising
import Foundation
import Ledger
import Methods
import SystemPackage

/// A candidate model from noisy captures, judged, and promoted only if it is better.
struct Finetune: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Fit the model to your own noisy captures; it is used only if it is proven better.",
        usage: "denoised finetune --captures <dir> ... [--minutes <minutes>] [--state <dir>] [<options>]",
        discussion: """
            A quarter of the captures is never learned from: on them, and on photographs inside
            the package whose truth is known, the new model must beat the one in use.
            Interrupted, it goes on where it stopped. `denoised model rollback` takes a model back.

            denoised finetune --captures ~/photos/high-iso --minutes 30 --state ~/.local/state/denoised
            denoised finetune --from-ledger --state /var/lib/denoised
            denoised finetune --from-ledger --camera "Canon EOS 5D" --state /var/lib/denoised
            denoised finetune --captures ~/photos/high-iso --candidate mine.safetensors
            """)

    @OptionGroup var location: StateOptions

    @Option(help: "Model to begin with, by name or file; the one in use must be beaten all the same.")
    var model: String?

    @Option(help: "Folders of noisy photographs.")
    var captures: [String] = []

    @Flag(help: "Learn from the noisy crops that the daemon keeps.")
    var fromLedger = false

    @Option(
        help:
            "Make a model of its own for this camera (make and model, as in history): learn from its captures alone; only its photographs use what comes of it."
    )
    var camera: Camera?

    @Option(help: "Judge this model file, trained elsewhere, instead of training; it is used if it is better.")
    var candidate: String?

    @Option(help: "How long it may take in all; default: 30.")
    var minutes: Double?

    @Option(help: "Steps to train instead; the same steps give the same model.")
    var steps: Int?

    @Option(help: "Seed of crops, noise and masks.")
    var seed: UInt64 = 0

    @OptionGroup var workers: WorkerOptions

    @Flag(help: "Print one JSON object: candidate, promoted, reason, before, after and every figure.")
    var json = false

    func validate() throws {
        guard captures.isEmpty == fromLedger else { throw ValidationError("give --captures or --from-ledger") }
        guard minutes == nil || steps == nil else { throw ValidationError("--minutes and --steps exclude each other") }
        guard candidate == nil || (minutes == nil && steps == nil && model == nil) else {
            throw ValidationError("--candidate is judged as it is: leave --minutes, --steps and --model out")
        }
        guard minutes ?? 1 > 0, steps ?? 1 > 0 else { throw ValidationError("--minutes and --steps must be positive") }
    }

    func run() async throws {
        try await reportingFailure {
            Politeness.becomeNice()
            let stop = StopSignal()
            let state = try location.folder()
            try FileManager.default.createDirectory(
                atPath: state.string, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            let store = ModelStore(state: state)
            let base = try store.model(named: model, for: camera)
            let found = try captureSet(in: state)
            Console.error("learning from \(found.training.count) captures, judging by \(found.heldOut.count)")
            guard found.count >= CaptureSet.fewest else {
                let reason =
                    "\(found.count) captures with noise and a picture below it are too few: "
                    + "at least \(CaptureSet.fewest) are needed"
                return try conclude(Finding(base, reason: reason), state)
            }
            let rival = try model == nil ? base : store.model(named: nil, for: camera)
            let finding =
                try candidate.map { try judged(FilePath($0), found, against: rival) }
                ?? find(base, found, against: rival, state, stop)
            try conclude(finding, state)
        }
    }

    /// The names of kept crops say their camera; other photographs do so themselves.
    private func captureSet(in state: FilePath) throws -> CaptureSet {
        func skipped(_ reason: String) { Console.error("denoised: skipped \(reason)") }
        let kept = CaptureFolder(state: state)
        guard fromLedger else {
            return try CaptureSet(folders: captures.map { FilePath($0) }, of: camera, skipped: skipped)
        }
        return try camera.map { CaptureSet(files: kept.files(of: $0), skipped: skipped) }
            ?? CaptureSet(folders: [kept.path], skipped: skipped)
    }

    /// Trains and judges.
    private func find(
        _ base: Model, _ found: CaptureSet, against rival: Model, _ state: FilePath, _ stop: StopSignal
    ) throws -> Finding {
        var options = Finetuning.Options()
        options.length = steps.map { .steps($0) } ?? .minutes(minutes ?? 30)
        options.seed = seed
        options.threads = workers.count
        options.camera = camera
        let folder = state.appending(camera.map { "finetune-\($0)" } ?? "finetune")
        let finetuning = Finetuning(
            base: base, captures: found, rehearsal: try .shipped(), options: options, folder: folder)
        let preparing = ProgressLine("preparing \(found.count) captures")
        do {
            let run = try finetuning.train(shouldStop: { stop.isRequested }) { phase in
                switch phase {
                case .preparing(let share): preparing.update(share)
                case .training(let progress):
                    preparing.finish()
                    Console.error(progress.line)
                }
            }
            guard let run else {
                Console.error("denoised: interrupted; the same command continues")
                throw ExitStatus.interrupted
            }
            let candidate = try judging(found) { judge, progress in
                try finetuning.candidate(of: run, judgedBy: judge, against: rival, progress: progress)
            }
            finetuning.forget()
            return Finding(base, candidate)
        } catch let error as TrainingError {
            finetuning.forget()
            return Finding(base, reason: "\(error)")
        }
    }

    private func judged(_ path: FilePath, _ found: CaptureSet, against rival: Model) throws -> Finding {
        Finding(
            rival,
            try judging(found) { judge, progress in
                try Finetuning.candidate(path, judgedBy: judge, against: rival, progress: progress)
            })
    }

    private func judging(
        _ found: CaptureSet, _ judgement: (ModelJudge, (Double) -> Void) throws -> Finetuning.Candidate
    ) throws -> Finetuning.Candidate {
        let line = ProgressLine("judging by \(found.heldOut.count) captures")
        defer { line.finish() }
        let judge = ModelJudge(
            captures: found.heldOut, pinned: try PinnedSet.shipped(), threads: workers.count)
        return try judgement(judge) { line.update($0) }
    }

    /// What is said at the end.
    private struct Finding {
        let base: Model
        var candidate: Finetuning.Candidate?
        var reason: String
        var isPromoted: Bool { candidate?.objection == nil && candidate != nil }

        init(_ base: Model, reason: String) {
            self.base = base
            self.reason = reason
        }

        init(_ base: Model, _ candidate: Finetuning.Candidate) {
            self.base = base
            self.candidate = candidate
            reason = candidate.objection ?? candidate.merit
        }
    }

    private func conclude(_ finding: Finding, _ state: FilePath) throws {
        if finding.isPromoted, let path = finding.candidate?.path {
            _ = try ModelStore(state: state).promote(path.string, for: camera)
        }
        // Whatever came of it: the same captures would not teach more tomorrow, and others wait for their turn.
        if fromLedger, candidate == nil { try CaptureFolder(state: state).markLearned(for: camera) }
        let figures = finding.candidate?.judgement?.figures ?? [:]
        let ledger = try Ledger.open(in: state)
        try ledger.record(
            ModelTrial(
                candidate: finding.candidate?.name, candidateHash: finding.candidate?.hash, parent: finding.base.name,
                parentHash: finding.base.hash, camera: camera?.name, isPromoted: finding.isPromoted,
                reason: finding.reason, figures: figures))
        try ledger.close()
        let (before, after) = (figures["held_out_before"], figures["held_out_after"])
        if json {
            let known: [(key: String, value: JSONText)] = [
                ("candidate", .optional(finding.candidate?.name)), ("promoted", .boolean(finding.isPromoted)),
                ("reason", .text(finding.reason)), ("before", .optional(before)), ("after", .optional(after)),
                ("parent", .text(finding.base.name)), ("camera", .optional(camera?.name)),
            ]
            print(JSONText.object(known + figures.sorted { $0.key < $1.key }.map { ($0.key, .number($0.value)) }).line)
            return
        }
        let name = printable(finding.candidate?.name ?? "no candidate")
        print(
            finding.isPromoted
                ? "\(name) is in use\(camera.map { " for \($0)" } ?? ""): \(finding.reason)"
                : "\(name) was not promoted: \(finding.reason)")
    }
}

extension TrainingRun.Progress {
    /// "step 50 of 1000 (masked): loss 0.01234, validation 0.01200, 0.51 s a step, 8 min left".
    var line: String {
        "step \(step) of \(steps) (\(objective.rawValue)): loss \(String(format: "%.5f", loss)), "
            + (validation.map { "validation \(String(format: "%.5f", $0)), " } ?? "")
            + "\(String(format: "%.2f", secondsPerStep)) s a step, \(Console.duration(secondsLeft)) left"
    }
}
