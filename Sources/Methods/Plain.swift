import Networks
import Tensors

/// One pass of a network over everything, without masks: supervised checkpoints and students.
public struct Plain: Sendable {
    public let network: any Network
    public let weights: Weights

    public init(network: any Network, weights: Weights) {
        self.network = network
        self.weights = weights
    }

    /// - Parameter noisy: [3, 1, height, width] in [0, 1], any size; padded with zeros to the network's multiple.
    /// - Returns: [3, 1, height, width], not clamped.
    public func denoise(_ noisy: Tensor) -> Tensor {
        network.anySize(Variable(noisy), Pass(weights)).tensor
    }
}
