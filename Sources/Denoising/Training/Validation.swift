import Methods
import Networks
import Tensors

/// Crops that are never learned from, under masks that never change: what tells learning from memorising.
public struct Validation: Sendable {
    public let samples: [TrainingSample]
    /// Stride of pixel downsampling that the error is measured at.
    public let stride: Int
    /// Steps between two looks.
    public let every: Int
    /// Looks in a row without a new best after which training ends; nil goes on to the end of the plan.
    public let patience: Int?
    /// As inference with the model does (`AMSNet.usesSeenPixels`), where there is a clean side: against the noisy pixel
    /// itself, one that was seen says nothing.
    public let usesSeenPixels: Bool

    public init(
        samples: [TrainingSample], stride: Int, every: Int, patience: Int? = nil, usesSeenPixels: Bool = false
    ) {
        self.samples = samples
        self.stride = stride
        self.every = max(1, every)
        self.patience = patience
        self.usesSeenPixels = usesSeenPixels
    }

    /// Mean absolute error over every pixel: against the clean side where there is one, else against the noisy pixel
    /// itself, predicted by the pass that did not see it.
    func loss(of network: any Network, _ weights: Weights, _ hiddenPixels: HiddenPixels, threads: Int) throws -> Double
    {
        let losses = try parallelMap(samples.count, threads: threads) { index in
            let sample = samples[index]
            let method = AMSNet(
                network: network, weights: weights, seed: UInt64(index), stride: stride, hiddenPixels: hiddenPixels,
                usesSeenPixels: usesSeenPixels && sample.clean != nil, refinements: 0)
            let output = try method.denoise(sample.noisy)
            let target = sample.clean ?? sample.noisy
            let ones = Tensor([1] + target.shape[1...], repeating: 1)
            return maskedLoss(output, target, hidden: ones, entries: target.count).value
        }
        return losses.reduce(0, +) / Double(max(losses.count, 1))
    }
}
