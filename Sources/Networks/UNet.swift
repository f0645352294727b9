import Tensors

/// A U-Net of six levels with max-pooling, transposed convolutions and the noisy image as its last skip (spec B.3).
public struct UNet: Network {
    public struct Configuration: Sendable, Equatable, Codable {
        /// Channels of the encoder; decoders have twice as many.
        public let width: Int
        /// Channels of the last decoder and of the 1×1 convolutions behind it.
        public let head: Int

        public init(width: Int, head: Int) {
            self.width = width
            self.head = head
        }

        /// The published network: 7,935,555 parameters, 1.10 MMAC per pixel.
        public static let published = Configuration(width: 128, head: 96)
        /// For small experiments.
        public static let compact = Configuration(width: 24, head: 18)
    }

    /// One level of the decoder.
    private struct Level: Sendable {
        let up: TransposedConvolution
        let first: DenseConvolution
        let second: DenseConvolution
    }

    private static let slope: Float = 0.2
    private static let start = ConvolutionStart.kaiming(slope: 0, scale: 0.1)

    public let configuration: NetworkConfiguration
    public let parameters: [Parameter]
    public let multiplicationsPerPixel: Double
    public let tiling: TileRequirements

    /// `enc_conv0` to `enc_conv6`; a pool follows each from the second to the sixth.
    private let encoder: [DenseConvolution]
    /// From level 5, the deepest, to level 1.
    private let decoder: [Level]
    private let head: [DenseConvolution]
    private let last: DenseConvolution

    public init(_ configuration: Configuration) {
        let registry = ParameterScope.Registry()
        let scope = ParameterScope(registry)
        let (width, head) = (configuration.width, configuration.head)
        encoder = (0...6).map {
            DenseConvolution(
                scope.reduced(by: 1 << max($0 - 1, 0))["enc_conv\($0)"], from: $0 == 0 ? 3 : width, to: width,
                start: Self.start)
        }
        decoder = [5, 4, 3, 2, 1].map { level in
            let (below, fine) = (scope.reduced(by: 1 << level), scope.reduced(by: 1 << (level - 1)))
            let inputs = level == 5 ? width : 2 * width
            let (skip, outputs) = level == 1 ? (3, head) : (width, 2 * width)
            return Level(
                up: TransposedConvolution(below["up\(level)"]["deconv"], from: inputs, to: inputs, start: Self.start),
                first: DenseConvolution(
                    fine["dec_conv\(level)a"], from: inputs + skip, to: outputs, start: Self.start),
                second: DenseConvolution(fine["dec_conv\(level)b"], from: outputs, to: outputs, start: Self.start))
        }
        self.head = ["nin_a", "nin_b"].map {
            DenseConvolution(scope[$0], from: head, to: head, kernel: 1, start: Self.start)
        }
        last = DenseConvolution(scope["nin_c"], from: head, to: 3, kernel: 1, start: Self.start)
        self.configuration = .unet(configuration)
        parameters = registry.parameters
        multiplicationsPerPixel = registry.multiplications
        tiling = TileRequirements(multiple: 32, overlap: 32, bytesPerPixel: 4 * 16 * width)
    }

    public func callAsFunction(_ image: Variable, _ pass: Pass) -> Variable {
        func layer(_ convolution: DenseConvolution, _ x: Variable) -> Variable {
            convolution(x, pass, slope: Self.slope)
        }
        var x = layer(encoder[0], image)
        var skips = [image]
        for convolution in encoder[1...5] {
            x = maximumPooled(layer(convolution, x))
            skips.append(x)
        }
        x = layer(encoder[6], skips.removeLast())
        for level in decoder {
            x = concatenate(level.up(x, pass), skips.removeLast())
            x = layer(level.second, layer(level.first, x))
        }
        for convolution in head { x = layer(convolution, x) }
        return last(x, pass)
    }
}
