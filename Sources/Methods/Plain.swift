import Networks
import Tensors

/// One pass of a network over everything, without masks: supervised checkpoints, students and blind-spot networks.
public struct Plain: TileDenoiser {
    public let network: any Network
    public let weights: Weights
    /// Stride of pixel downsampling: 1 for none. Blind-spot networks need noise that neighbours do not share.
    public let stride: Int

    public init(network: any Network, weights: Weights, stride: Int = 1) {
        self.network = network
        self.weights = weights
        self.stride = stride
    }

    public var passes: Int { 1 }

    /// - Parameter noisy: [3, 1, height, width] in [0, 1], any size; padded with zeros to the alignment.
    /// - Returns: [3, 1, height, width], not clamped.
    public func denoise(_ noisy: Tensor, row: Int = 0, column: Int = 0, threads: Int = 1) -> Tensor {
        let input = padded(Variable(noisy), height: roundUp(noisy.height), width: roundUp(noisy.width))
        let output = network.infer(pixelDownsample(input, stride: stride).tensor, weights)
        return cropped(pixelUpsample(Variable(output), stride: stride), height: noisy.height, width: noisy.width).tensor
    }
}
