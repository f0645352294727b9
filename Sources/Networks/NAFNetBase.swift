import Tensors

/// NAFNet's baseline (GELU and squeeze-excitation), the denoiser that AMSNet calls NAFNet (spec B.2 and A.11, item 9).
public struct NAFNetBase: Network {
    /// Widths and depths; the channels double at each level of the encoder.
    public struct Configuration: Sendable, Equatable, Codable {
        /// Channels at full resolution, even.
        public let width: Int
        /// Blocks of each encoder level, finest first.
        public let encoder: [Int]
        public let middle: Int
        /// Blocks of each decoder level, deepest first; as many levels as the encoder.
        public let decoder: [Int]

        public init(width: Int, encoder: [Int], middle: Int, decoder: [Int]) {
            self.width = width
            self.encoder = encoder
            self.middle = middle
            self.decoder = decoder
        }

        /// The published network: 29,056,227 parameters, 242 kMAC per pixel.
        public static let published = Configuration(
            width: 32, encoder: [2, 2, 4, 8], middle: 12, decoder: [2, 2, 2, 2])
        /// The shape of the shipped model.
        public static let compact = Configuration(width: 24, encoder: [1, 1, 2], middle: 2, decoder: [1, 1, 1])
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
        ) { Block($0, channels: $1) }
        configuration = .nafnet(c)
        parameters = registry.parameters
        multiplicationsPerPixel = registry.multiplications
        tiling = TileRequirements(multiple: 1 << c.encoder.count, overlap: 32, bytesPerPixel: 4 * 6 * c.width)
    }

    public func callAsFunction(_ image: Variable, _ pass: Pass) -> Variable {
        let (height, width) = (image.tensor.height, image.tensor.width)
        let multiple = tiling.multiple
        let input = padded(
            image, height: (height + multiple - 1) / multiple * multiple,
            width: (width + multiple - 1) / multiple * multiple)
        return cropped(shape(input, pass), height: height, width: width)
    }
}

extension NAFNetBase {
    /// y = x + β⊙conv3(SE(gelu(conv2(conv1(norm1(x)))))); out = y + γ⊙conv5(gelu(conv4(norm2(y)))).
    struct Block: NAFNetBlock {
        let norm1: AffineNorm
        let conv1: Convolution
        let conv2: Convolution
        let gate: Gate
        let conv3: Convolution
        let norm2: AffineNorm
        let conv4: Convolution
        let conv5: Convolution
        let beta: Parameter
        let gamma: Parameter

        init(_ scope: ParameterScope, channels: Int) {
            norm1 = AffineNorm(scope["norm1"], channels)
            conv1 = scope.pointwise("conv1", from: channels, to: channels, bias: true)
            conv2 = scope.depthwise3x3("conv2", channels: channels, bias: true)
            gate = Gate(scope["se"], channels)
            conv3 = scope.pointwise("conv3", from: channels, to: channels, bias: true)
            norm2 = AffineNorm(scope["norm2"], channels)
            conv4 = scope.pointwise("conv4", from: channels, to: 2 * channels, bias: true)
            conv5 = scope.pointwise("conv5", from: 2 * channels, to: channels, bias: true)
            beta = scope.parameter("beta", [1, channels, 1, 1], .constant(0))
            gamma = scope.parameter("gamma", [1, channels, 1, 1], .constant(0))
        }

        func callAsFunction(_ x: Variable, _ pass: Pass) -> Variable {
            nafBlock(
                x,
                NAFBlockWeights(
                    norm1: norm1.layer(pass), conv1: conv1.layer(pass), conv2: conv2.layer(pass),
                    gate: gate.weights(pass),
                    conv3: conv3.layer(pass), beta: pass[beta], norm2: norm2.layer(pass), conv4: conv4.layer(pass),
                    conv5: conv5.layer(pass), gamma: pass[gamma]))
        }
    }

    /// Squeeze and excitation, C → C/2 → C; its two layers see one value for each channel and image.
    struct Gate: Sendable {
        let reduce: (weight: Parameter, bias: Parameter)
        let expand: (weight: Parameter, bias: Parameter)

        init(_ scope: ParameterScope, _ channels: Int) {
            func layer(_ scope: ParameterScope, from inputs: Int, to outputs: Int) -> (Parameter, Parameter) {
                (
                    scope.parameter("weight", [outputs, inputs, 1, 1], .uniform(fanIn: inputs)),
                    scope.parameter("bias", [outputs], .uniform(fanIn: inputs))
                )
            }
            reduce = layer(scope["1"], from: channels, to: channels / 2)
            expand = layer(scope["3"], from: channels / 2, to: channels)
        }

        func weights(_ pass: Pass) -> SqueezeExciteWeights {
            SqueezeExciteWeights(
                reduce: (pass[reduce.weight], pass[reduce.bias]), expand: (pass[expand.weight], pass[expand.bias]))
        }
    }
}

/// LayerNorm2d with weight and bias, ε = 1e-6.
struct AffineNorm: Sendable {
    let weight: Parameter
    let bias: Parameter

    init(_ scope: ParameterScope, _ channels: Int) {
        weight = scope.parameter("weight", [channels], .constant(1))
        bias = scope.parameter("bias", [channels], .constant(0))
    }

    func callAsFunction(_ x: Variable, _ pass: Pass) -> Variable {
        affineNorm(x, weight: pass[weight], bias: pass[bias])
    }

    func layer(_ pass: Pass) -> NAFBlockWeights.Layer { (pass[weight], pass[bias]) }
}

extension Convolution {
    /// Weight and bias of a convolution that has one.
    fileprivate func layer(_ pass: Pass) -> NAFBlockWeights.Layer {
        guard let bias else { preconditionFailure("NAFNet's convolutions have biases") }
        return (pass[weight], pass[bias])
    }
}
