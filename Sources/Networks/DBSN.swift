import Tensors

/// The dilated blind-spot network of AP-BSN (spec B.6): two branches that begin with a convolution which does not see
/// its own pixel. With dilations (D_A) nothing behind it brings that pixel back; without (D_AS) it leaks.
public struct DBSN: Network {
    public struct Configuration: Sendable, Equatable, Codable {
        /// Channels, even: the tail ends with half of them.
        public let width: Int
        /// Residual modules of each branch.
        public let modules: Int
        /// D_A, whose branches have dilations 2 and 3; otherwise D_AS.
        public let isDilated: Bool

        public init(width: Int, modules: Int, isDilated: Bool) {
            self.width = width
            self.modules = modules
            self.isDilated = isDilated
        }

        /// D_A as published: 3,656,131 parameters, 3.65 MMAC per pixel.
        public static let published = Configuration(width: 128, modules: 9, isDilated: true)
        /// D_AS: the same shapes, and no blind spot.
        public static let publishedLeaking = Configuration(width: 128, modules: 9, isDilated: false)
        /// For small experiments.
        public static let compact = Configuration(width: 24, modules: 2, isDilated: true)
        public static let compactLeaking = Configuration(width: 24, modules: 2, isDilated: false)
    }

    public let configuration: NetworkConfiguration
    public let parameters: [Parameter]
    public let multiplicationsPerPixel: Double
    public let tiling: TileRequirements

    private let head: DenseConvolution
    private let branches: [Branch]
    /// ReLU follows each but the last.
    private let tail: [DenseConvolution]

    public init(_ configuration: Configuration) {
        let registry = ParameterScope.Registry()
        let scope = ParameterScope(registry)
        let width = configuration.width
        head = DenseConvolution(scope["head"][0], from: 3, to: width, kernel: 1)
        branches = [2, 3].map { Branch(scope["branch\($0 - 1)"]["body"], reach: $0, configuration) }
        let widths = [2 * width, width, width / 2, width / 2, 3]
        tail = (0..<4).map {
            DenseConvolution(scope["tail"][2 * $0], from: widths[$0], to: widths[$0 + 1], kernel: 1)
        }
        self.configuration = .dbsn(configuration)
        parameters = registry.parameters
        multiplicationsPerPixel = registry.multiplications
        // The overlap is the exact reach of the second branch.
        tiling = TileRequirements(
            multiple: 1, overlap: 2 + configuration.modules * (configuration.isDilated ? 3 : 1),
            bytesPerPixel: 4 * 10 * width)
    }

    public func callAsFunction(_ image: Variable, _ pass: Pass) -> Variable {
        let features = head(image, pass, slope: 0)
        var x = concatenate(branches[0](features, pass), branches[1](features, pass))
        for convolution in tail.dropLast() { x = convolution(x, pass, slope: 0) }
        return tail[3](x, pass)
    }
}

extension DBSN {
    /// Masked convolution, two 1×1, modules x + 1×1(relu(3×3 x)), 1×1; ReLU behind all outside of modules.
    private struct Branch: Sendable {
        let first: [DenseConvolution]
        let modules: [(spread: DenseConvolution, mix: DenseConvolution)]
        let last: DenseConvolution

        /// - Parameter reach: the masked convolution has 2·reach − 1 taps a side, the modules' taps lie `reach` apart.
        init(_ scope: ParameterScope, reach: Int, _ configuration: Configuration) {
            let width = configuration.width
            func mixing(_ scope: ParameterScope) -> DenseConvolution {
                DenseConvolution(scope, from: width, to: width, kernel: 1)
            }
            first = [
                DenseConvolution(scope[0], from: width, to: width, kernel: 2 * reach - 1, masked: true),
                mixing(scope[2]), mixing(scope[4]),
            ]
            modules = (0..<configuration.modules).map {
                let body = scope[6 + $0]["body"]
                let dilation = configuration.isDilated ? reach : 1
                return (DenseConvolution(body[0], from: width, to: width, dilation: dilation), mixing(body[2]))
            }
            last = mixing(scope[6 + configuration.modules])
        }

        func callAsFunction(_ features: Variable, _ pass: Pass) -> Variable {
            var x = features
            for convolution in first { x = convolution(x, pass, slope: 0) }
            for (spread, mix) in modules { x = add(x, mix(spread(x, pass, slope: 0), pass)) }
            return last(x, pass, slope: 0)
        }
    }
}
