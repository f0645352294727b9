import Tensors

/// DeamNet: four rounds of one U-shaped network in feature space; after each, a learned map mixes the first features
/// back in (spec B.5).
public struct DeamNet: Network {
    public struct Configuration: Sendable, Equatable, Codable {
        /// Channels everywhere.
        public let width: Int
        /// Channels in the middle of the maps.
        public let reduced: Int

        public init(width: Int, reduced: Int) {
            self.width = width
            self.reduced = reduced
        }

        /// The published network: 2,228,131 parameters, 352,512 of them in layers that never run; 2.23 MMAC per pixel.
        public static let published = Configuration(width: 64, reduced: 4)
        /// For small experiments.
        public static let compact = Configuration(width: 8, reduced: 4)
    }

    public let configuration: NetworkConfiguration
    public let parameters: [Parameter]
    public let multiplicationsPerPixel: Double
    public let tiling: TileRequirements

    private let first: DenseConvolution
    private let firstResidual: Residual
    private let rounds: [MixingMap]
    private let nonlinear: NonlinearOperator
    private let lastResidual: Residual
    private let last: DenseConvolution

    public init(_ configuration: Configuration) {
        let registry = ParameterScope.Registry()
        let scope = ParameterScope(registry)
        let width = configuration.width
        let (forward, inverse) = (scope["transform_function"], scope["inverse_transform_function"])
        first = .plain(forward["ext"], from: 3, to: width)
        firstResidual = Residual(forward["pre"], width)
        rounds = (1...4).map { MixingMap(scope["line\($0)\($0)"], squeeze: "weight", configuration) }
        nonlinear = NonlinearOperator(scope["net2"], rounds: rounds.count, configuration)
        lastResidual = Residual(inverse["pre"], width)
        last = .plain(inverse["ext"], from: width, to: 3)
        self.configuration = .deamnet(configuration)
        parameters = registry.parameters
        multiplicationsPerPixel = registry.multiplications
        tiling = TileRequirements(multiple: 16, overlap: 32, bytesPerPixel: 4 * 15 * width)
    }

    public func callAsFunction(_ image: Variable, _ pass: Pass) -> Variable {
        let features = firstResidual(first(image, pass), pass)
        var x = features
        for round in rounds {
            x = nonlinear(x, pass)
            x = sigmoidMix(x, features, logits: round.logits(hidden: features, x, pass))
        }
        return last(lastResidual(x, pass), pass)
    }
}

extension DenseConvolution {
    /// A convolution under DeamNet's name for plain ones.
    fileprivate static func plain(
        _ scope: ParameterScope, from inputs: Int, to outputs: Int, kernel: Int = 3, role: Parameter.Role = .trained
    ) -> DenseConvolution {
        DenseConvolution(scope["conv2d"], from: inputs, to: outputs, kernel: kernel, start: .xavier, role: role)
    }
}

extension DeamNet {
    /// x + conv(relu(conv x)).
    private struct Residual: Sendable {
        let inner: DenseConvolution
        let outer: DenseConvolution

        init(_ scope: ParameterScope, _ width: Int) {
            inner = .plain(scope[0], from: width, to: width)
            outer = .plain(scope[2], from: width, to: width)
        }

        func callAsFunction(_ x: Variable, _ pass: Pass) -> Variable {
            add(x, outer(inner(x, pass, slope: 0), pass))
        }
    }

    /// ConvR, a 3×3 convolution with ReLU behind it.
    private struct Rectified: Sendable {
        let convolution: DenseConvolution

        init(_ scope: ParameterScope, _ width: Int, stride: Int = 1) {
            convolution = DenseConvolution(
                scope["block"][0], from: width, to: width, stride: stride, start: .xavier)
        }

        func callAsFunction(_ x: Variable, _ pass: Pass) -> Variable { convolution(x, pass, slope: 0) }
    }

    /// The map between two activations: conv(relu(conv(1×1[C(a), b]))), before its sigmoid.
    private struct MixingMap: Sendable {
        let inner: DenseConvolution
        let join: DenseConvolution
        let squeeze: DenseConvolution
        let expand: DenseConvolution

        /// - Parameter squeeze: the scope of the two last convolutions, if they have one of their own.
        init(_ scope: ParameterScope, squeeze: String? = nil, _ configuration: Configuration) {
            let (width, reduced) = (configuration.width, configuration.reduced)
            let last = (squeeze.map { scope[$0] } ?? scope)["conv_du"]
            inner = .plain(scope["C"], from: width, to: width)
            join = .plain(scope["cat"], from: 2 * width, to: width, kernel: 1)
            self.squeeze = .plain(last[0], from: width, to: reduced)
            expand = .plain(last[2], from: reduced, to: width)
        }

        func logits(hidden a: Variable, _ b: Variable, _ pass: Pass) -> Variable {
            let joined = join(concatenate(inner(a, pass), b), pass)
            return expand(squeeze(joined, pass, slope: 0), pass)
        }
    }

    /// NLO: four levels down and up again, each skip mixed into the deeper features by a map of its own.
    private struct NonlinearOperator: Sendable {
        struct Level: Sendable {
            let down: [Rectified]
            let map: MixingMap
            let up: Rectified
            let mixed: Rectified
            let upAgain: Rectified
            let join: DenseConvolution
            let body: [Rectified]
        }

        let levels: [Level]
        let middle: [Rectified]
        let final: DenseConvolution

        /// - Parameter rounds: how many times a pass runs this operator.
        init(_ scope: ParameterScope, rounds: Int, _ configuration: Configuration) {
            let width = configuration.width
            levels = (0..<4).map { level in
                let fine = scope.reduced(by: 1 << level).repeated(rounds)
                let coarse = scope.reduced(by: 2 << level).repeated(rounds)
                let (down, attention, up) = (fine["e\(level)"]["body"], fine["attention\(level)"], fine["de\(level)"])
                let upsample = up["upsample"]
                return Level(
                    down: [
                        Rectified(down[0], width), Rectified(down[1], width),
                        Rectified(coarse["e\(level)"]["body"][2], width, stride: 2),
                    ],
                    map: MixingMap(attention, configuration),
                    up: Rectified(attention["ConvTranspose"]["conv2d"], width),
                    mixed: Rectified(upsample["conv1"], width),
                    upAgain: Rectified(upsample["ConvTranspose"]["conv2d"], width),
                    join: .plain(upsample["cat"], from: 2 * width, to: width, kernel: 1),
                    body: [Rectified(up["body"][0], width), Rectified(up["body"][1], width)])
            }
            let deepest = scope.reduced(by: 16).repeated(rounds)["mid"]
            middle = [Rectified(deepest[0], width), Rectified(deepest[1], width)]
            final = .plain(scope.repeated(rounds)["final"], from: width, to: width)
            for (index, kernel) in [3, 5, 7].enumerated() {
                _ = DenseConvolution.plain(
                    scope["conv_dila\(index + 1)"], from: width, to: width, kernel: kernel, role: .idle)
            }
            _ = DenseConvolution(
                scope["cat1"], from: 3 * width, to: width, kernel: 1, start: .xavier, role: .idle)
        }

        func callAsFunction(_ input: Variable, _ pass: Pass) -> Variable {
            var x = input
            var skips: [Variable] = []
            for level in levels {
                let skip = level.down[1](level.down[0](x, pass), pass)
                skips.append(skip)
                x = level.down[2](skip, pass)
            }
            for layer in middle { x = layer(x, pass) }
            for level in levels.reversed() {
                let (skip, fine) = (skips.removeLast(), nearestUpsampled(x))
                let up = level.up(fine, pass)
                let mixed = sigmoidMix(up, skip, logits: level.map.logits(hidden: skip, up, pass))
                x = level.join(concatenate(level.mixed(mixed, pass), level.upAgain(fine, pass)), pass)
                for layer in level.body { x = layer(x, pass) }
            }
            return add(input, final(x, pass))
        }
    }
}
