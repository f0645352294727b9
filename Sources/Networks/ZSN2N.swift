import Tensors

/// ZS-N2N's denoiser: two 3×3 convolutions and a 1×1 predict the noise, which is subtracted (spec D.1).
///
/// Small enough to be taught on the photograph that it is for.
public struct ZSN2N: Network {
    public struct Configuration: Sendable, Equatable, Codable {
        /// 3, or 1 for grey images.
        public let channels: Int
        public let width: Int

        public init(channels: Int, width: Int) {
            self.channels = channels
            self.width = width
        }

        /// As published: 22,275 parameters, 22 kMAC per pixel.
        public static let colour = Configuration(channels: 3, width: 48)
        /// For grey images: 21,313 parameters.
        public static let grey = Configuration(channels: 1, width: 48)
    }

    private static let slope: Float = 0.2

    public let configuration: NetworkConfiguration
    public let parameters: [Parameter]
    public let multiplicationsPerPixel: Double
    public let tiling: TileRequirements

    private let convolutions: [DenseConvolution]

    public init(_ configuration: Configuration) {
        let registry = ParameterScope.Registry()
        let scope = ParameterScope(registry)
        let (channels, width) = (configuration.channels, configuration.width)
        convolutions = [
            DenseConvolution(scope["conv1"], from: channels, to: width),
            DenseConvolution(scope["conv2"], from: width, to: width),
            DenseConvolution(scope["conv3"], from: width, to: channels, kernel: 1),
        ]
        self.configuration = .zsn2n(configuration)
        parameters = registry.parameters
        multiplicationsPerPixel = registry.multiplications
        // Pixels see two pixels far. Tiles share more, so that the last ones, which see the tile's edge, weigh little.
        tiling = TileRequirements(multiple: 1, overlap: 16, bytesPerPixel: 4 * 4 * width)
    }

    /// - Parameter image: [channels, batch, height, width].
    public func callAsFunction(_ image: Variable, _ pass: Pass) -> Variable {
        let features = convolutions[..<2].reduce(image) { $1($0, pass, slope: Self.slope) }
        return subtract(image, convolutions[2](features, pass))
    }
}
