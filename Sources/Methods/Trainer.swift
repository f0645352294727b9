import Networks
import Tensors

/// One crop to learn from.
public struct TrainingSample: Sendable {
    /// [3, 1, crop, crop] in [0, 1].
    public let noisy: Tensor
    /// The same scene without noise, where the objective needs it.
    public let clean: Tensor?
    /// What a teacher makes of it, for the objective `distilled`.
    public let predictions: [Tensor]

    public init(noisy: Tensor, clean: Tensor? = nil, predictions: [Tensor] = []) {
        self.noisy = noisy
        self.clean = clean
        self.predictions = predictions
    }
}

/// Where crops come from. A sample is a function of its arguments, so that a resumed run sees the same samples.
public protocol TrainingSource: Sendable {
    /// - Parameter key: names the sample; equal keys give equal samples.
    func sample(for objective: Objective, crop: Int, key: UInt64) throws -> TrainingSample
}

/// Walks through a training plan, one optimiser step at a time.
///
/// Crops are independent work: each has its own tape, and their gradients are added in order, so that the weights
/// are the same bytes at any number of threads. Batch normalisation sees one crop's sub-images as its batch; running
/// statistics move to the mean over the crops.
public struct Trainer: Sendable {
    public let network: any Network
    public private(set) var plan: TrainingPlan
    public internal(set) var weights: Weights
    public internal(set) var optimiser: AdamW
    /// Steps done; the next step's index.
    public internal(set) var step: Int

    public init(network: any Network, plan: TrainingPlan, weights: Weights, optimiser: AdamW = AdamW(), step: Int = 0) {
        self.network = network
        self.plan = plan
        self.weights = weights
        self.optimiser = optimiser
        self.step = step
    }

    public var isFinished: Bool { step >= plan.steps }

    /// Takes at most so many more steps (`TrainingPlan.shortened`).
    public mutating func finish(within steps: Int) { plan = plan.shortened(to: step + steps) }

    /// Takes one step and returns the loss over the batch.
    ///
    /// - Throws: what the source throws, and `TrainingError.diverged` when the loss or a gradient is not finite: the
    ///   weights then stay as they were.
    public mutating func advance(from source: any TrainingSource, threads: Int) throws -> Double {
        guard let (stage, rate) = plan.stage(at: step) else { return 0 }
        guard !stage.objective.needsBayesianDBSN || network is BayesianDBSN else {
            throw TrainingError.otherNetwork(stage.objective)
        }
        if let network = network as? BayesianDBSN, stage.objective.needsBayesianDBSN, plan.begins(at: step) {
            try begin(stage.objective, of: network, from: source, threads: threads)
        }
        let batchKey = RandomSource.mix(plan.seed, UInt64(step))
        let crops = (0..<plan.batch * plan.accumulation).map {
            CropTask(
                key: RandomSource.mix(batchKey, UInt64($0)), objective: stage.objective, crop: plan.crop,
                hiddenPixels: plan.hiddenPixels, downsampling: plan.downsampling ?? 1)
        }
        let entries = crops.reduce(0) { $0 + $1.entries }
        let (network, weights) = (network, weights)
        var (loss, gradients) = (0.0, [String: Tensor]())
        var statistics: [[String: Tensor]] = []
        // Only one batch at a time holds gradients of its own.
        for first in stride(from: 0, to: crops.count, by: plan.batch) {
            let results = try parallelMap(plan.batch, threads: threads) { index in
                let crop = crops[first + index]
                let sample = try source.sample(for: crop.objective, crop: crop.crop, key: crop.key)
                return crop.gradients(of: sample, network, weights, entries: entries)
            }
            loss = results.reduce(loss) { $0 + $1.loss }
            gradients = try Self.sum([gradients] + results.map(\.gradients), threads: threads)
            statistics += results.map(\.statistics)
        }
        let all = Array(gradients.values)
        guard loss.isFinite, try parallelMap(all.count, threads: threads, { all[$0].isFinite }).allSatisfy({ $0 })
        else {
            throw TrainingError.diverged(step: step)
        }
        try optimiser.step(&self.weights, gradients, rate: rate, threads: threads)
        for (name, _) in statistics.first ?? [:] {
            self.weights.tensors[name] = mean(statistics.compactMap { $0[name] })
        }
        step += 1
        return loss
    }

    /// Each parameter's gradients added in order.
    private static func sum(_ gradients: [[String: Tensor]], threads: Int) throws -> [String: Tensor] {
        let names = Array(Set(gradients.flatMap(\.keys)))
        let sums = try parallelMap(names.count, threads: threads) { index in
            let parts = gradients.compactMap { $0[names[index]] }
            return parts.dropFirst().reduce(into: parts[0]) { accumulate($1, into: &$0) }
        }
        return Dictionary(uniqueKeysWithValues: zip(names, sums))
    }
}

/// Why training stopped by itself.
public enum TrainingError: Error, CustomStringConvertible {
    case diverged(step: Int)
    case otherNetwork(Objective)

    public var description: String {
        switch self {
        case .diverged(let step):
            "training diverged at step \(step): the loss or a gradient is not finite; resume with a lower --rate"
        case .otherNetwork(let objective):
            "the objective \(objective.rawValue) is D-BSN's: train --method dbsn with --network dbsn or dbsn-compact"
        }
    }
}
