import Tensors

/// An image-to-image network, written forward only: the tape trains it.
public protocol Network: Sendable {
    /// Name and widths, as written to model files.
    var configuration: NetworkConfiguration { get }
    /// Every parameter in the order of declaration, running statistics and constants included.
    var parameters: [Parameter] { get }
    /// Multiply-accumulates for each input pixel of one plain pass.
    var multiplicationsPerPixel: Double { get }
    /// What the tiler must respect.
    var tiling: TileRequirements { get }
    /// Pixels, over the images of a batch, with which a training step should run at a time, so that what they write can
    /// be kept; all of them where nothing is said. Batch normalisation needs them all.
    var pixelsKept: Int { get }

    /// Maps [3, batch, height, width] in [0, 1] to the same shape; height and width are multiples of `tiling.multiple`.
    func callAsFunction(_ image: Variable, _ pass: Pass) -> Variable
}

extension Network {
    public var pixelsKept: Int { .max }

    /// Values that an optimiser could change, as PyTorch counts parameters.
    public var parameterCount: Int {
        parameters.reduce(0) { $0 + ($1.role == .trained || $1.role == .idle ? $1.count : 0) }
    }

    /// What training gives gradients to.
    public var trainedParameters: [Parameter] { parameters.filter { $0.role == .trained } }

    /// The network for images of any size: padded with zeros at the bottom and at the right, and cropped again.
    public func anySize(_ image: Variable, _ pass: Pass) -> Variable {
        let (height, width, multiple) = (image.tensor.height, image.tensor.width, tiling.multiple)
        func roundUp(_ size: Int) -> Int { (size + multiple - 1) / multiple * multiple }
        let output = self(padded(image, height: roundUp(height), width: roundUp(width)), pass)
        return cropped(output, height: height, width: width)
    }

    /// The output for `image` without recording anything.
    public func infer(_ image: Tensor, _ weights: Weights) -> Tensor {
        callAsFunction(Variable(image), Pass(weights)).tensor
    }
}

/// What a network needs of tiles, all in pixels at its input.
public struct TileRequirements: Sendable, Equatable {
    /// Height and width must be multiples of this.
    public let multiple: Int
    /// Neighbouring tiles share this much, blended; beyond it the effective influence of a pixel is negligible.
    public let overlap: Int
    /// Bytes of working memory for each pixel of a tile, as measured on tiles of 384 or 512 pixels a side.
    public let bytesPerPixel: Int

    public init(multiple: Int, overlap: Int, bytesPerPixel: Int) {
        self.multiple = multiple
        self.overlap = overlap
        self.bytesPerPixel = bytesPerPixel
    }
}
