import Networks
import Tensors

/// One pass of a network over everything, without masks: supervised checkpoints, students and blind-spot networks.
public struct Plain: Sendable {
    public let network: any Network
    public let weights: Weights
    /// Stride of pixel downsampling: 1 for none. Blind-spot networks need noise that neighbours do not share.
    public let stride: Int

    public init(network: any Network, weights: Weights, stride: Int = 1) {
        self.network = network
        self.weights = weights
        self.stride = stride
    }

    /// Tile origins and sizes must be multiples of this, so that sub-images keep their phase.
    public var alignment: Int { stride * network.tiling.multiple }

    /// - Parameter noisy: [3, 1, height, width] in [0, 1], any size; padded with zeros to the alignment.
    /// - Returns: [3, 1, height, width], not clamped.
    public func denoise(_ noisy: Tensor) -> Tensor {
        func roundUp(_ size: Int) -> Int { (size + alignment - 1) / alignment * alignment }
        let input = padded(Variable(noisy), height: roundUp(noisy.height), width: roundUp(noisy.width))
        let output = network.infer(pixelDownsample(input, stride: stride).tensor, weights)
        return cropped(pixelUpsample(Variable(output), stride: stride), height: noisy.height, width: noisy.width).tensor
    }
}
