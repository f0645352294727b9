import Foundation
import Imaging
import Methods
import Networks
import SystemPackage
import Tensors

/// A training that can be stopped at any moment and resumed to the same bytes.
public struct TrainingRun {
    /// What one report says.
    public struct Progress: Sendable {
        public let step: Int
        public let steps: Int
        public let objective: Objective
        /// Mean over the steps since the last report.
        public let loss: Double
        /// Learning rate of the last step.
        public let rate: Double
        /// Error on what is never learned from, where it was measured after this step.
        public let validation: Double?
        public let secondsPerStep: Double
        public let secondsLeft: Double
    }

    /// The weights with the smallest validation error so far.
    public struct Best: Sendable {
        /// Steps done when they were found; 0 for those that training began with.
        public let step: Int
        public let loss: Double
        public let weights: Weights
    }

    public private(set) var trainer: Trainer
    /// Where the checkpoint lies: weights, optimiser and step of the last save, and the best weights.
    public let checkpoint: FilePath
    /// Nil without validation.
    public private(set) var best: Best?
    /// Looks in a row that found nothing better.
    private var looksSinceBest = 0

    /// Starts afresh.
    public init(_ trainer: Trainer, checkpoint: FilePath) {
        self.trainer = trainer
        self.checkpoint = checkpoint
    }

    /// Continues from a checkpoint; its own plan counts.
    ///
    /// - Throws: `ModelError` when the checkpoint is missing or damaged.
    public init(resuming checkpoint: FilePath) throws {
        self.checkpoint = checkpoint
        do {
            let file = try Safetensors(Data(try FileContents(checkpoint).bytes))
            trainer = try Self.trainer(from: file)
            if let loss = file.metadata["best_loss"].flatMap(Double.init),
                let step = file.metadata["best_step"].flatMap(Int.init)
            {
                let weights = try Weights(Self.group("best.", of: file), for: trainer.network)
                best = Best(step: step, loss: loss, weights: weights)
                looksSinceBest = file.metadata["looks_since_best"].flatMap(Int.init) ?? 0
            }
        } catch {
            throw ModelError(
                file: checkpoint.string, cause: "\(error)", remedy: "start again without --resume")
        }
    }

    /// What training came to: the best weights where validation chose them, else the last.
    public var weights: Weights { best?.weights ?? trainer.weights }

    /// Runs to the end of the plan, or until validation finds nothing better for as long as its patience lasts.
    ///
    /// - Parameters:
    ///   - validation: what is looked at between the steps; nil trains to the end of the plan.
    ///   - reportEvery: steps between two calls of `report`; every look at the validation reports as well.
    ///   - saveEvery: steps between two checkpoints.
    ///   - deadline: where steps take longer than was thought, the plan is shortened so that it ends by then; not before
    ///     half of the time is over, since what slows them down may go.
    ///   - shouldStop: asked before each step; when true, the state is saved and the run ends early.
    /// - Throws: `TrainingError.diverged`; the checkpoint then holds the last finite state that was saved.
    public mutating func run(
        from source: any TrainingSource, validation: Validation? = nil, threads: Int, reportEvery: Int = 50,
        saveEvery: Int = 500, deadline: ContinuousClock.Instant? = nil, shouldStop: () -> Bool = { false },
        report: (Progress) throws -> Void
    ) throws {
        if let validation, best == nil { _ = try look(at: validation, threads) }
        var losses: [Double] = []
        var durations: [Double] = []
        var last = ContinuousClock.now
        let half = deadline.map { last + ($0 - last) / 2 }
        while !trainer.isFinished && !isExhausted(validation) && !shouldStop() {
            let stage = trainer.plan.stage(at: trainer.step)
            let start = ContinuousClock.now
            losses.append(try trainer.advance(from: source, threads: threads))
            durations.append((ContinuousClock.now - start).seconds)
            let now = ContinuousClock.now
            let isLook = trainer.isFinished || trainer.step % (validation?.every ?? .max) == 0
            let found = isLook ? try validation.map { try look(at: $0, threads) } : nil
            if trainer.step % reportEvery == 0 || trainer.isFinished || found != nil {
                let perStep = (now - last).seconds / Double(losses.count)
                try report(
                    Progress(
                        step: trainer.step, steps: trainer.plan.steps, objective: stage?.stage.objective ?? .masked,
                        loss: losses.reduce(0, +) / Double(losses.count), rate: Double(stage?.rate ?? 0),
                        validation: found, secondsPerStep: perStep,
                        secondsLeft: perStep * Double(trainer.plan.steps - trainer.step)))
                if let deadline, let half, now >= half {
                    // A median: a process may have been halted within a step.
                    let step = durations.sorted()[durations.count / 2]
                    trainer.finish(within: max(1, Int((deadline - ContinuousClock.now).seconds / step)))
                }
                (losses, durations) = ([], [])
                last = ContinuousClock.now
            }
            // After the report: a run that is killed in between does the step again and reports it again.
            if trainer.step % saveEvery == 0 { try save() }
        }
        try save()
    }

    private func isExhausted(_ validation: Validation?) -> Bool {
        validation?.patience.map { looksSinceBest >= $0 } ?? false
    }

    /// Measures the error and keeps the weights if they are the best.
    private mutating func look(at validation: Validation, _ threads: Int) throws -> Double {
        let loss = try validation.loss(
            of: trainer.network, trainer.weights, trainer.plan.hiddenPixels, threads: threads)
        guard loss.isFinite else { throw TrainingError.diverged(step: trainer.step) }
        if loss < best?.loss ?? .infinity {
            best = Best(step: trainer.step, loss: loss, weights: trainer.weights)
            looksSinceBest = 0
        } else {
            looksSinceBest += 1
        }
        return loss
    }

    // MARK: - Checkpoints

    private func save() throws {
        var tensors: [String: Tensor] = [:]
        for (name, tensor) in trainer.weights.tensors { tensors["weights.\(name)"] = tensor }
        for (name, tensor) in trainer.optimiser.first { tensors["optimiser.first.\(name)"] = tensor }
        for (name, tensor) in trainer.optimiser.second { tensors["optimiser.second.\(name)"] = tensor }
        for (name, tensor) in best?.weights.tensors ?? [:] { tensors["best.\(name)"] = tensor }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        var metadata = [
            "network": try trainer.network.configuration.json,
            "plan": String(decoding: try encoder.encode(trainer.plan), as: UTF8.self),
            "step": "\(trainer.step)", "optimiser_steps": "\(trainer.optimiser.steps)",
        ]
        if let best {
            metadata["best_loss"] = "\(best.loss)"
            metadata["best_step"] = "\(best.step)"
            metadata["looks_since_best"] = "\(looksSinceBest)"
        }
        try StagedFile.replace(checkpoint, with: Safetensors(tensors: tensors, metadata: metadata).encoded())
    }

    private static func trainer(from file: Safetensors) throws -> Trainer {
        func value<Value: Decodable>(_ key: String, as type: Value.Type) throws -> Value {
            guard let text = file.metadata[key] else {
                throw CheckpointError.malformed("its metadata lack the key \(key)")
            }
            return try JSONDecoder().decode(type, from: Data(text.utf8))
        }
        let network = try value("network", as: NetworkConfiguration.self).makeNetwork()
        let (first, second) = (group("optimiser.first.", of: file), group("optimiser.second.", of: file))
        // Before the first step there are no means; from then on they are shaped like the weights that have gradients.
        for means in [first, second] where !means.isEmpty {
            _ = try Weights(means, named: network.trainedParameters)
        }
        let step = try value("step", as: Int.self)
        guard step >= 0 else { throw CheckpointError.malformed("its step is \(step)") }
        return Trainer(
            network: network, plan: try value("plan", as: TrainingPlan.self),
            weights: try Weights(group("weights.", of: file), for: network),
            optimiser: AdamW(
                steps: try value("optimiser_steps", as: Int.self), first: first, second: second),
            step: step)
    }

    /// The tensors whose names begin with `prefix`, without it.
    private static func group(_ prefix: String, of file: Safetensors) -> [String: Tensor] {
        var group: [String: Tensor] = [:]
        for (name, tensor) in file.tensors where name.hasPrefix(prefix) {
            group[String(name.dropFirst(prefix.count))] = tensor
        }
        return group
    }
}
