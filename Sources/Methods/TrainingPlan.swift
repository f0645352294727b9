#if canImport(Glibc)
    import Glibc
#endif

/// What a step teaches.
public enum Objective: String, Sendable, Codable, CaseIterable {
    /// Synthetic pairs, in every situation of inference: with nothing hidden, and hidden pixels of the photograph, of
    /// downsampled sub-images and of refinement copies. Not part of the paper: it makes L_m affordable.
    case synthetic
    /// Stage B: L_m, hidden pixels of stride-5 sub-images against the noisy image itself (spec A.4).
    case masked
    /// Stage P: L_t, both masks reassembled at full resolution against the noisy image, with total variation (spec
    /// A.5).
    case transfer
    /// Blind-spot training as in AP-BSN: all pixels of stride-5 sub-images against themselves. Only a network that does
    /// not see its own pixel learns to denoise from it; any other learns to copy.
    case blindSpot = "blind-spot"
    /// All pixels against the clean side of synthetic pairs, nothing hidden: for method plain.
    case supervised
    /// A student against its teacher's predictions, or the clean side of pairs, nothing hidden (spec C.6 and G.2).
    case distilled
    /// D-BSN's first stage: the mean, by squared error (spec C.5). These three need the network dbsn.
    case blindMean = "blind-mean"
    /// Its second: both heads, the mean as it is.
    case noise
    /// Its third: everything, by the evidence of the noisy pixels.
    case bayesian

    /// Whether samples need a clean side.
    public var needsClean: Bool { self == .synthetic || self == .supervised }

    var needsBayesianDBSN: Bool { [.blindMean, .noise, .bayesian].contains(self) }
}

/// Stages that follow each other, each with its own learning rate that falls to zero along a half cosine.
public struct TrainingPlan: Sendable, Equatable, Codable {
    public struct Stage: Sendable, Equatable, Codable {
        public let objective: Objective
        public let steps: Int
        /// Learning rate at the stage's first step.
        public let rate: Double

        public init(_ objective: Objective, steps: Int, rate: Double) {
            self.objective = objective
            self.steps = steps
            self.rate = rate
        }
    }

    public let stages: [Stage]
    /// Crops that are worked on together.
    public let batch: Int
    /// Batches whose gradients are added up before the weights change; nil in plans that were written before.
    private let accumulated: Int?
    /// Side of a crop in pixels: a multiple of 5 and of each stride times the network's multiple (spec A.7).
    public let crop: Int
    public let seed: UInt64
    public let hiddenPixels: HiddenPixels
    /// Stride of pixel downsampling in D-BSN's stages; nil for none, as in plans of before there were any.
    public let downsampling: Int?

    public init(
        stages: [Stage], batch: Int = 4, accumulation: Int = 1, crop: Int = 160, seed: UInt64 = 0,
        hiddenPixels: HiddenPixels = .zero, downsampling: Int? = nil
    ) {
        self.stages = stages.filter { $0.steps > 0 }
        self.batch = batch
        accumulated = accumulation > 1 ? accumulation : nil
        self.crop = crop
        self.seed = seed
        self.hiddenPixels = hiddenPixels
        self.downsampling = downsampling
    }

    /// Batches for each step.
    public var accumulation: Int { accumulated ?? 1 }

    public var steps: Int { stages.reduce(0) { $0 + $1.steps } }

    /// This plan with a last stage that ends after `steps` steps in all, if that is sooner: its rate falls the faster,
    /// but to the end. Earlier stages stay, and one step of the last.
    public func shortened(to steps: Int) -> TrainingPlan {
        guard let last = stages.last, steps < self.steps else { return self }
        let left = max(1, last.steps - (self.steps - steps))
        return TrainingPlan(
            stages: stages.dropLast() + [Stage(last.objective, steps: left, rate: last.rate)], batch: batch,
            accumulation: accumulation, crop: crop, seed: seed, hiddenPixels: hiddenPixels, downsampling: downsampling)
    }

    /// Whether step `step` (from 0) is the first of a stage.
    func begins(at step: Int) -> Bool {
        stages.indices.contains { stages[..<$0].reduce(0) { $0 + $1.steps } == step }
    }

    /// The stage that step `step` (from 0) belongs to, and its learning rate.
    public func stage(at step: Int) -> (stage: Stage, rate: Float)? {
        var first = 0
        for stage in stages {
            if step < first + stage.steps {
                let progress = Double(step - first) / Double(stage.steps)
                return (stage, Float(stage.rate * 0.5 * (1 + cos(.pi * progress))))
            }
            first += stage.steps
        }
        return nil
    }
}
