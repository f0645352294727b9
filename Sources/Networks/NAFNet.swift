import Tensors

/// NAFNet with simple gates and simplified channel attention, as its authors published it (spec B.2, last line). What
/// AMSNet calls NAFNet is `NAFNetBase`.
public struct NAFNet: Network {
    /// Widths and depths; the channels double at each level of the encoder.
    public struct Configuration: Sendable, Equatable, Codable {
        /// Channels at full resolution.
        public let width: Int
        /// Blocks of each encoder level, finest first.
        public let encoder: [Int]
        public let middle: Int
        /// Blocks of each decoder level, deepest first; as many levels as the encoder.
        public let decoder: [Int]
        /// Channels at the depthwise convolution, and in the feed-forward half, for each channel of the block; times
        /// `width` even, since gates halve them.
        public let depthwise: Int
        public let feed: Int

        public init(width: Int, encoder: [Int], middle: Int, decoder: [Int], depthwise: Int = 2, feed: Int = 2) {
            self.width = width
            self.encoder = encoder
            self.middle = middle
            self.decoder = decoder
            self.depthwise = depthwise
            self.feed = feed
        }

        /// As in AMSNet's code: 20,226,659 parameters, 187 kMAC per pixel.
        public static let published = Configuration(
            width: 32, encoder: [2, 2, 4, 8], middle: 12, decoder: [2, 2, 2, 2], depthwise: 1)
        /// NAFNet's own network for SIDD, width 32: 29,159,715 parameters.
        public static let sidd32 = Configuration(width: 32, encoder: [2, 2, 4, 8], middle: 12, decoder: [2, 2, 2, 2])
        /// NAFNet's own network for SIDD, width 64.
        public static let sidd64 = Configuration(width: 64, encoder: [2, 2, 4, 8], middle: 12, decoder: [2, 2, 2, 2])
    }

    public let configuration: NetworkConfiguration
    public let parameters: [Parameter]
    public let multiplicationsPerPixel: Double
    public let tiling: TileRequirements

    private let shape: NAFNetShape<Block>

    public init(_ c: Configuration) {
        let registry = ParameterScope.Registry()
        shape = NAFNetShape(
            ParameterScope(registry), width: c.width, encoder: c.encoder, middle: c.middle, decoder: c.decoder
        ) { Block($0, $1, depthwise: c.depthwise, feed: c.feed) }
        configuration = .nafnetSimpleGate(c)
        parameters = registry.parameters
        multiplicationsPerPixel = registry.multiplications
        tiling = TileRequirements(
            multiple: 1 << c.encoder.count, overlap: 32,
            bytesPerPixel: 4 * (4 + 3 * max(2 * c.depthwise, c.feed)) * c.width)
    }

    public func callAsFunction(_ image: Variable, _ pass: Pass) -> Variable { shape(image, pass) }
}

extension NAFNet {
    /// y = x + β⊙conv3(SCA(gate(conv2(conv1(norm1(x)))))); out = y + γ⊙conv5(gate(conv4(norm2(y)))).
    private struct Block: NAFNetBlock {
        let norm1: AffineNorm
        let conv1: Convolution
        let conv2: Convolution
        let attention: (weight: Parameter, bias: Parameter)
        let conv3: Convolution
        let norm2: AffineNorm
        let conv4: Convolution
        let conv5: Convolution
        let beta: Parameter
        let gamma: Parameter

        init(_ scope: ParameterScope, _ channels: Int, depthwise: Int, feed: Int) {
            let (wide, hidden) = (depthwise * channels, feed * channels)
            norm1 = AffineNorm(scope["norm1"], channels)
            conv1 = scope.pointwise("conv1", from: channels, to: wide, bias: true)
            conv2 = scope.depthwise3x3("conv2", channels: wide, bias: true)
            let gated = scope["sca"][1]
            attention = (
                gated.parameter("weight", [wide / 2, wide / 2, 1, 1], .uniform(fanIn: wide / 2)),
                gated.parameter("bias", [wide / 2], .uniform(fanIn: wide / 2))
            )
            conv3 = scope.pointwise("conv3", from: wide / 2, to: channels, bias: true)
            norm2 = AffineNorm(scope["norm2"], channels)
            conv4 = scope.pointwise("conv4", from: channels, to: hidden, bias: true)
            conv5 = scope.pointwise("conv5", from: hidden / 2, to: channels, bias: true)
            beta = scope.parameter("beta", [1, channels, 1, 1], .constant(0))
            gamma = scope.parameter("gamma", [1, channels, 1, 1], .constant(0))
        }

        func callAsFunction(_ x: Variable, _ pass: Pass) -> Variable {
            let gated = simpleGate(conv2(conv1(norm1(x, pass), pass), pass))
            let attended = channelAttention(gated, weight: pass[attention.weight], bias: pass[attention.bias])
            let y = scaledResidual(x, conv3(attended, pass), scale: pass[beta])
            return scaledResidual(y, conv5(simpleGate(conv4(norm2(y, pass), pass)), pass), scale: pass[gamma])
        }
    }
}
