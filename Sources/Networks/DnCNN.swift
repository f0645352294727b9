import Tensors

/// DnCNN: a chain of 3×3 convolutions with batch normalisation that predicts the noise (spec B.4).
public struct DnCNN: Network {
    public struct Configuration: Sendable, Equatable, Codable {
        /// Channels between the first and the last convolution.
        public let width: Int
        /// All of them, the first and the last included: at least 2.
        public let convolutions: Int

        public init(width: Int, convolutions: Int) {
            self.width = width
            self.convolutions = convolutions
        }

        /// The published network: 559,363 parameters, 556 kMAC per pixel.
        public static let published = Configuration(width: 64, convolutions: 17)
        /// For small experiments.
        public static let compact = Configuration(width: 32, convolutions: 6)
    }

    public let configuration: NetworkConfiguration
    public let parameters: [Parameter]
    public let multiplicationsPerPixel: Double
    public let tiling: TileRequirements

    private let first: DenseConvolution
    private let inner: [NormalisedConvolution]
    private let last: DenseConvolution

    public init(_ configuration: Configuration) {
        let registry = ParameterScope.Registry()
        let scope = ParameterScope(registry)["model"]
        let (width, innerCount) = (configuration.width, configuration.convolutions - 2)
        first = DenseConvolution(scope[0], from: 3, to: width)
        inner = (0..<innerCount).map {
            NormalisedConvolution(
                DenseConvolution(scope[2 + 3 * $0], from: width, to: width), scope[3 + 3 * $0], channels: width,
                epsilon: 1e-4, momentum: 0.9)
        }
        last = DenseConvolution(scope[2 + 3 * innerCount], from: width, to: 3)
        self.configuration = .dncnn(configuration)
        parameters = registry.parameters
        multiplicationsPerPixel = registry.multiplications
        // The overlap is the exact reach: one pixel for each convolution.
        tiling = TileRequirements(multiple: 1, overlap: configuration.convolutions, bytesPerPixel: 2 * 7 * width)
    }

    public func callAsFunction(_ image: Variable, _ pass: Pass) -> Variable {
        var x = first(image, pass, slope: 0)
        for layer in inner { x = layer(x, pass, slope: 0) }
        return subtract(image, last(x, pass))
    }
}
