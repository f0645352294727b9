import Tensors

/// The U-Net that published distillations train as their student (spec G.3).
public struct StudentUNet: Network {
    public struct Configuration: Sendable, Equatable, Codable {
        /// Channels of the encoder.
        public let width: Int
        /// Channels of the decoder.
        public let decoder: Int

        public init(width: Int, decoder: Int) {
            self.width = width
            self.decoder = decoder
        }

        /// The published network: 1,021,107 parameters, 204 kMAC per pixel.
        public static let published = Configuration(width: 48, decoder: 96)
    }

    private static let slope: Float = 0.1
    private static let start = ConvolutionStart.kaiming(slope: slope, scale: 1)

    public let configuration: NetworkConfiguration
    public let parameters: [Parameter]
    public let multiplicationsPerPixel: Double
    public let tiling: TileRequirements

    /// `enc1` to `enc6`; a pool precedes each but the first.
    private let encoder: [DenseConvolution]
    /// From level 5, the deepest, to level 1, whose second convolution is the network's last.
    private let decoder: [(first: DenseConvolution, second: DenseConvolution)]

    public init(_ configuration: Configuration) {
        let registry = ParameterScope.Registry()
        let scope = ParameterScope(registry)
        let (width, wide) = (configuration.width, configuration.decoder)
        encoder = (1...6).map {
            DenseConvolution(
                scope.reduced(by: 1 << ($0 - 1))["enc\($0)"]["conv"], from: $0 == 1 ? 3 : width, to: width,
                start: Self.start)
        }
        decoder = [5, 4, 3, 2, 1].map { level in
            let scope = scope.reduced(by: 1 << (level - 1))
            let second = scope["dec\(level)_1"]
            return (
                DenseConvolution(
                    scope["dec\(level)_2"]["conv"], from: (level == 5 ? width : wide) + width, to: wide,
                    start: Self.start),
                DenseConvolution(
                    level == 1 ? second : second["conv"], from: wide, to: level == 1 ? 3 : wide, start: Self.start)
            )
        }
        self.configuration = .student(configuration)
        parameters = registry.parameters
        multiplicationsPerPixel = registry.multiplications
        tiling = TileRequirements(multiple: 32, overlap: 32, bytesPerPixel: 4 * 7 * wide)
    }

    public func callAsFunction(_ image: Variable, _ pass: Pass) -> Variable {
        func layer(_ convolution: DenseConvolution, _ x: Variable) -> Variable {
            convolution(x, pass, slope: Self.slope)
        }
        var x = layer(encoder[0], image)
        var skips: [Variable] = []
        for convolution in encoder[1...] {
            skips.append(x)
            x = layer(convolution, maximumPooled(x))
        }
        for (first, second) in decoder.dropLast() {
            x = layer(second, layer(first, concatenate(nearestUpsampled(x), skips.removeLast())))
        }
        guard let (first, last) = decoder.last else { return x }
        return last(layer(first, concatenate(nearestUpsampled(x), skips.removeLast())), pass)
    }
}
