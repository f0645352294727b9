import Tensors

/// D-BSN (Wu, Liu, Cao, Ren and Zuo, ECCV 2020): a dilated blind-spot network that predicts each pixel from its
/// neighbours alone, and two small heads that say how sure that is and how strong the noise is (spec C).
///
/// As a network it is its mean; what the heads add is in `estimate`.
public struct BayesianDBSN: Network {
    /// What is known of the noise beforehand.
    public enum Noise: String, Sendable, Codable, CaseIterable {
        /// Gaussian, of one strength in each channel.
        case awgn
        /// Gaussian, of a strength that depends on brightness, independent in each channel.
        case heteroscedastic
        /// Gaussian, correlated between the channels of a pixel.
        case multivariate
    }

    public struct Configuration: Sendable, Equatable, Codable {
        /// 3, or 1 for grey images.
        public let channels: Int
        public let width: Int
        /// Multi-dilated blocks of each branch.
        public let blocks: Int
        public let noise: Noise

        public init(channels: Int = 3, width: Int, blocks: Int, noise: Noise) {
            self.channels = channels
            self.width = width
            self.blocks = blocks
            self.noise = noise
        }

        /// The published backbone: 6,612,675 parameters in colour, 6.6 MMAC per pixel; heads add 8,000.
        public static func published(_ noise: Noise) -> Configuration {
            Configuration(width: 96, blocks: 8, noise: noise)
        }

        /// For training in minutes: sees 14 pixels far.
        public static func compact(_ noise: Noise) -> Configuration {
            Configuration(width: 16, blocks: 2, noise: noise)
        }

        /// Hidden channels of the heads.
        fileprivate var headWidth: Int { channels == 1 && noise == .awgn ? 16 : 32 }
        /// One value for each channel, or the upper triangle of a 3×3 matrix.
        fileprivate var headOutputs: Int { noise == .multivariate ? 6 : channels }
    }

    /// What the network says of every pixel; maps of raw values, which `Methods` turns into variances.
    public struct Estimate {
        /// μ, [channels, batch, height, width].
        public let mean: Variable
        /// Of the uncertainty of μ, [channels or 6, batch, height, width].
        public let uncertainty: Variable
        /// Of the noise, the same shape.
        public let noise: Variable

        public init(mean: Variable, uncertainty: Variable, noise: Variable) {
            self.mean = mean
            self.uncertainty = uncertainty
            self.noise = noise
        }
    }

    public let configuration: NetworkConfiguration
    public let parameters: [Parameter]
    public let multiplicationsPerPixel: Double
    public let tiling: TileRequirements
    public let noiseModel: Noise

    /// The parts that are trained one after the other. Their parameters' names begin so, as do those of the authors'
    /// three state dictionaries (behind `state_dict_`).
    public enum Group: String, Sendable, CaseIterable {
        case mean = "dbsn"
        case uncertainty = "sigma_mu"
        case noise = "sigma_n"

        /// Whether the group has the parameter.
        public func holds(_ parameter: String) -> Bool { parameter.hasPrefix("\(rawValue).") }
    }

    private static let start = ConvolutionStart.kaiming(slope: 0, scale: 1)

    private let head: DenseConvolution
    private let branches: [Branch]
    private let merge: DenseConvolution
    /// ReLU follows each but the last, here and in both heads.
    private let tail: [DenseConvolution]
    private let uncertaintyHead: [DenseConvolution]
    private let noiseHead: [DenseConvolution]

    public init(_ configuration: Configuration) {
        let registry = ParameterScope.Registry()
        let scope = ParameterScope(registry)
        let (backbone, channels, width) = (scope["dbsn"], configuration.channels, configuration.width)
        head = DenseConvolution(backbone["dbsn_head"][0], from: channels, to: width, kernel: 1, start: Self.start)
        branches = [2, 3].map { Branch(backbone["br\($0 - 1)"]["branch"], dilation: $0, configuration) }
        merge = DenseConvolution(backbone["concat"], from: 2 * width, to: width, kernel: 1, start: Self.start)
        tail = (0..<3).map {
            DenseConvolution(
                backbone["dbsn_tail"][2 * $0], from: width, to: $0 == 2 ? channels : width, kernel: 1,
                start: Self.start)
        }
        let (hidden, outputs) = (configuration.headWidth, configuration.headOutputs)
        uncertaintyHead = (0..<3).map {
            DenseConvolution(
                scope["sigma_mu"]["conv"][2 * $0], from: $0 == 0 ? width : hidden, to: $0 == 2 ? outputs : hidden,
                kernel: 1)
        }
        noiseHead =
            (0..<4).map {
                DenseConvolution(
                    scope["sigma_n"]["conv"][2 * $0], from: $0 == 0 ? channels : hidden, to: hidden, kernel: 1)
            } + [DenseConvolution(scope["sigma_n"]["conv_final"], from: hidden, to: outputs, kernel: 1)]
        self.configuration = .bayesianDBSN(configuration)
        noiseModel = configuration.noise
        parameters = registry.parameters
        multiplicationsPerPixel = registry.multiplications
        // The overlap is the exact reach: that of the second branch, 5×5 masked, then 5×5 of dilation 3 in each block.
        tiling = TileRequirements(
            multiple: 1, overlap: 2 + 6 * configuration.blocks, bytesPerPixel: 4 * 12 * width)
    }

    /// - Parameter image: [channels, batch, height, width].
    /// - Returns: μ, which does not depend on the pixel itself.
    public func callAsFunction(_ image: Variable, _ pass: Pass) -> Variable {
        Self.run(tail, features(image, pass), pass)
    }

    /// μ and what the heads say.
    public func estimate(_ image: Variable, _ pass: Pass) -> Estimate {
        let features = features(image, pass)
        let mean = Self.run(tail, features, pass)
        return Estimate(
            mean: mean, uncertainty: Self.run(uncertaintyHead, features, pass),
            noise: noise(of: noiseModel == .heteroscedastic ? mean : image, pass))
    }

    /// What the noise head says of every pixel, [channels or 6, batch, height, width].
    ///
    /// - Parameter image: μ for heteroscedastic noise, else the noisy image (spec C.2).
    public func noise(of image: Variable, _ pass: Pass) -> Variable { Self.run(noiseHead, image, pass) }

    /// Weights in which both heads say the same of every pixel, whatever it looks like.
    ///
    /// - Parameters:
    ///   - uncertainty, noise: a value for each of their outputs.
    public func weights(_ weights: Weights, whereHeadsSay uncertainty: [Double], of noise: [Double]) -> Weights {
        var weights = weights
        for (head, values) in [(uncertaintyHead, uncertainty), (noiseHead, noise)] {
            guard let last = head.last else { continue }
            precondition(values.count == last.bias.count, "a head has as many outputs as there are values")
            weights.tensors[last.weight.name] = Tensor(last.weight.shape)
            weights.tensors[last.bias.name] = Tensor(last.bias.shape, values.map { Float($0) })
        }
        return weights
    }

    private func features(_ image: Variable, _ pass: Pass) -> Variable {
        let x = head(image, pass, slope: 0)
        return merge(concatenate(branches[0](x, pass), branches[1](x, pass)), pass)
    }

    /// Convolutions with ReLU behind each but the last.
    private static func run(_ layers: [DenseConvolution], _ x: Variable, _ pass: Pass) -> Variable {
        let last = layers.count - 1
        return layers.indices.reduce(x) { layers[$1]($0, pass, slope: $1 == last ? nil : 0) }
    }
}

extension BayesianDBSN {
    /// Masked convolution, two 1×1, blocks, a linear 1×1; ReLU behind the first three.
    private struct Branch: Sendable {
        let first: [DenseConvolution]
        let blocks: [Block]
        let last: DenseConvolution

        /// - Parameter dilation: of the blocks; the masked convolution sees one pixel less far.
        init(_ scope: ParameterScope, dilation: Int, _ configuration: Configuration) {
            let width = configuration.width
            first = [1, 0, 0].enumerated().map { index, masked in
                DenseConvolution(
                    scope[2 * index], from: width, to: width, kernel: masked * 2 * (dilation - 1) + 1,
                    masked: masked == 1, start: start)
            }
            blocks = (0..<configuration.blocks).map { Block(scope[6 + $0], dilation: dilation, width) }
            last = DenseConvolution(scope[6 + configuration.blocks], from: width, to: width, kernel: 1, start: start)
        }

        func callAsFunction(_ features: Variable, _ pass: Pass) -> Variable {
            let x = first.reduce(features) { $1($0, pass, slope: 0) }
            return last(blocks.reduce(x) { $1($0, pass) }, pass)
        }
    }

    /// Three paths that see 5×5, 3×3 and one pixel, `dilation` apart, joined and added; then two 1×1.
    private struct Block: Sendable {
        let paths: [[DenseConvolution]]
        let join: DenseConvolution
        let middle: [DenseConvolution]

        init(_ scope: ParameterScope, dilation: Int, _ width: Int) {
            func layer(_ scope: ParameterScope, kernel: Int = 1, from inputs: Int = 1) -> DenseConvolution {
                DenseConvolution(
                    scope, from: inputs * width, to: width, kernel: kernel, dilation: kernel == 1 ? 1 : dilation,
                    start: start)
            }
            paths = [
                [layer(scope["inception_br1"][0]), layer(scope["inception_br1"][2], kernel: 5)],
                [layer(scope["inception_br2"][0]), layer(scope["inception_br2"][2], kernel: 3)],
                [layer(scope["inception_br3"][0])],
            ]
            join = layer(scope["concat"], from: 3)
            middle = [layer(scope["middle_1x1_convs"][0]), layer(scope["middle_1x1_convs"][2])]
        }

        func callAsFunction(_ x: Variable, _ pass: Pass) -> Variable {
            let seen = paths.map { $0.reduce(x) { $1($0, pass, slope: 0) } }
            let joined = join(concatenate(concatenate(seen[0], seen[1]), seen[2]), pass, slope: 0)
            return middle.reduce(add(joined, x)) { $1($0, pass, slope: 0) }
        }
    }
}
