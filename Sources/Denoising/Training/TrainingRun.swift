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
        public let secondsPerStep: Double
        public let secondsLeft: Double
    }

    public private(set) var trainer: Trainer
    /// Where the checkpoint lies: weights, optimiser and step of the last save.
    public let checkpoint: FilePath

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
            trainer = try Self.trainer(from: Safetensors(Data(try FileContents(checkpoint).bytes)))
        } catch {
            throw ModelError(
                file: checkpoint.string, cause: "\(error)", remedy: "start again without --resume")
        }
    }

    /// Runs to the end of the plan.
    ///
    /// - Parameters:
    ///   - reportEvery: steps between two calls of `report`.
    ///   - saveEvery: steps between two checkpoints.
    ///   - shouldStop: asked before each step; when true, the state is saved and the run ends early.
    public mutating func run(
        from source: any TrainingSource, threads: Int, reportEvery: Int = 50, saveEvery: Int = 500,
        shouldStop: () -> Bool = { false }, report: (Progress) -> Void
    ) throws {
        var losses: [Double] = []
        var last = ContinuousClock.now
        while !trainer.isFinished && !shouldStop() {
            let objective = trainer.plan.stage(at: trainer.step)?.stage.objective ?? .masked
            losses.append(try trainer.advance(from: source, threads: threads))
            if trainer.step % saveEvery == 0 { try save() }
            if trainer.step % reportEvery == 0 || trainer.isFinished {
                let now = ContinuousClock.now
                let perStep = (now - last).seconds / Double(losses.count)
                report(
                    Progress(
                        step: trainer.step, steps: trainer.plan.steps, objective: objective,
                        loss: losses.reduce(0, +) / Double(losses.count), secondsPerStep: perStep,
                        secondsLeft: perStep * Double(trainer.plan.steps - trainer.step)))
                losses = []
                last = now
            }
        }
        try save()
    }

    // MARK: - Checkpoints

    private func save() throws {
        var tensors: [String: Tensor] = [:]
        for (name, tensor) in trainer.weights.tensors { tensors["weights.\(name)"] = tensor }
        for (name, tensor) in trainer.optimiser.first { tensors["optimiser.first.\(name)"] = tensor }
        for (name, tensor) in trainer.optimiser.second { tensors["optimiser.second.\(name)"] = tensor }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let metadata = [
            "network": try trainer.network.configuration.json,
            "plan": String(decoding: try encoder.encode(trainer.plan), as: UTF8.self),
            "step": "\(trainer.step)", "optimiser_steps": "\(trainer.optimiser.steps)",
        ]
        try DurableFile.replace(checkpoint, with: Safetensors(tensors: tensors, metadata: metadata).encoded())
    }

    private static func trainer(from file: Safetensors) throws -> Trainer {
        func value<Value: Decodable>(_ key: String, as type: Value.Type) throws -> Value {
            guard let text = file.metadata[key] else {
                throw CheckpointError.malformed("its metadata lack the key \(key)")
            }
            return try JSONDecoder().decode(type, from: Data(text.utf8))
        }
        func group(_ prefix: String) -> [String: Tensor] {
            var group: [String: Tensor] = [:]
            for (name, tensor) in file.tensors where name.hasPrefix(prefix) {
                group[String(name.dropFirst(prefix.count))] = tensor
            }
            return group
        }
        let network = try value("network", as: NetworkConfiguration.self).makeNetwork()
        let (first, second) = (group("optimiser.first."), group("optimiser.second."))
        // Before the first step there are no means; from then on they are shaped like the weights that have gradients.
        for means in [first, second] where !means.isEmpty {
            _ = try Weights(means, named: network.trainedParameters)
        }
        let step = try value("step", as: Int.self)
        guard step >= 0 else { throw CheckpointError.malformed("its step is \(step)") }
        return Trainer(
            network: network, plan: try value("plan", as: TrainingPlan.self),
            weights: try Weights(group("weights."), for: network),
            optimiser: AdamW(
                steps: try value("optimiser_steps", as: Int.self), first: first, second: second),
            step: step)
    }
}
