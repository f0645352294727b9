import Tensors

/// The multi-level wavelet network that D-BSN's authors distil into (spec C.6 and C.7), widened to colour: convolutions
/// on three levels of Haar bands, each of whose inputs is added again on the way back.
public struct MWCNN: Network {
    public struct Configuration: Sendable, Equatable, Codable {
        /// Channels of the first level and of the two below it.
        public let widths: [Int]

        public init(widths: [Int]) { self.widths = widths }

        /// The published widths: 16,145,892 parameters in grey, 16,168,940 in colour, 0.89 MMAC per pixel.
        public static let published = Configuration(widths: [160, 256, 256])
        /// For small experiments.
        public static let compact = Configuration(widths: [16, 24, 32])
    }

    public let configuration: NetworkConfiguration
    public let parameters: [Parameter]
    public let multiplicationsPerPixel: Double
    public let tiling: TileRequirements

    /// `level1` to `level3`: four convolutions with ReLU behind each, before and after the level below.
    private let levels: [(before: [DenseConvolution], after: [DenseConvolution])]

    public init(_ configuration: Configuration) {
        self.init(configuration, channels: 3)
    }

    /// - Parameter channels: 1 for the published network of grey images.
    init(_ configuration: Configuration, channels: Int) {
        let registry = ParameterScope.Registry()
        let scope = ParameterScope(registry)
        let widths = configuration.widths
        levels = widths.indices.map { level in
            let scope = scope.reduced(by: 2 << level)
            let (width, bands) = (widths[level], 4 * (level == 0 ? channels : widths[level - 1]))
            func convolutions(_ name: String, _ sizes: [Int]) -> [DenseConvolution] {
                (0..<4).map {
                    // The authors start with orthogonal weights; normal ones of the same energy do as well.
                    DenseConvolution(
                        scope["level\(level + 1)_\(name)"]["block"][2 * $0], from: sizes[$0], to: sizes[$0 + 1],
                        start: .kaiming(slope: 0, scale: 1))
                }
            }
            return (
                convolutions("prev", [bands, width, width, width, width]),
                convolutions("next", [width, width, width, width, bands])
            )
        }
        self.configuration = .mwcnn(configuration)
        parameters = registry.parameters
        multiplicationsPerPixel = registry.multiplications
        tiling = TileRequirements(multiple: 1 << widths.count, overlap: 32, bytesPerPixel: 4 * 2 * widths[0])
    }

    /// - Parameter image: height and width are multiples of 8.
    public func callAsFunction(_ image: Variable, _ pass: Pass) -> Variable { run(0, image, pass) }

    private func run(_ level: Int, _ x: Variable, _ pass: Pass) -> Variable {
        let bands = haarTransformed(x)
        var y = levels[level].before.reduce(bands) { $1($0, pass, slope: 0) }
        if level + 1 < levels.count { y = run(level + 1, y, pass) }
        for (index, convolution) in levels[level].after.enumerated() {
            // Only the network's last convolution is linear.
            y = convolution(y, pass, slope: level == 0 && index == 3 ? nil : 0)
        }
        return haarRestored(add(y, bands))
    }
}
