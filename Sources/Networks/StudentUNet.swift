import Tensors

/// The U-Net that published distillations train as their student (spec G.3).
public struct StudentUNet: Network {
    public struct Configuration: Sendable, Equatable, Codable {
        /// Channels of the encoder.
        public let width: Int
        /// Channels of the decoder.
        public let decoder: Int
        /// 2: all of the network works at half resolution, on groups of 2×2 pixels, and its output is added to its
        /// input; nil: as published.
        public let reduction: Int?

        public init(width: Int, decoder: Int, reduction: Int? = nil) {
            self.width = width
            self.decoder = decoder
            self.reduction = reduction
        }

        fileprivate var factor: Int { reduction ?? 1 }

        /// The published network: 1,021,107 parameters, 204 kMAC per pixel.
        public static let published = Configuration(width: 48, decoder: 96)
        /// A quarter of the work: the step that spec G.3 calls obvious.
        public static let half = Configuration(width: 48, decoder: 96, reduction: 2)
    }

    private static let slope: Float = 0.1
    private static let start = ConvolutionStart.kaiming(slope: slope, scale: 1)

    public let configuration: NetworkConfiguration
    public let parameters: [Parameter]
    public let multiplicationsPerPixel: Double
    public let tiling: TileRequirements

    /// Pixels to each side of what counts as one.
    private let factor: Int
    /// `enc1` to `enc6`; a pool precedes each but the first.
    private let encoder: [DenseConvolution]
    /// From level 5, the deepest, to level 1, whose second convolution is the network's last.
    private let decoder: [(first: DenseConvolution, second: DenseConvolution)]

    public init(_ configuration: Configuration) {
        let registry = ParameterScope.Registry()
        let scope = ParameterScope(registry)
        let (width, wide, factor) = (configuration.width, configuration.decoder, configuration.factor)
        let colours = 3 * factor * factor
        self.factor = factor
        encoder = (1...6).map {
            DenseConvolution(
                scope.reduced(by: factor << ($0 - 1))["enc\($0)"]["conv"], from: $0 == 1 ? colours : width, to: width,
                start: Self.start)
        }
        decoder = [5, 4, 3, 2, 1].map { level in
            let scope = scope.reduced(by: factor << (level - 1))
            let second = scope["dec\(level)_1"]
            return (
                DenseConvolution(
                    scope["dec\(level)_2"]["conv"], from: (level == 5 ? width : wide) + width, to: wide,
                    start: Self.start),
                DenseConvolution(
                    level == 1 ? second : second["conv"], from: wide, to: level == 1 ? colours : wide, start: Self.start
                )
            )
        }
        self.configuration = .student(configuration)
        parameters = registry.parameters
        multiplicationsPerPixel = registry.multiplications
        tiling = TileRequirements(
            multiple: 32 * factor, overlap: 32 * factor, bytesPerPixel: 4 * 7 * wide / (factor * factor))
    }

    public func callAsFunction(_ image: Variable, _ pass: Pass) -> Variable {
        guard factor > 1 else { return run(image, pass) }
        return add(image, pixelShuffle(run(pixelUnshuffle(image, factor: factor), pass), factor: factor))
    }

    private func run(_ image: Variable, _ pass: Pass) -> Variable {
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
