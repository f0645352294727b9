import Tensors

/// An image-to-image network, written forward only: the tape trains it.
public protocol Network: Sendable {
    /// Name and widths, as written to model files.
    var configuration: NetworkConfiguration { get }
    /// Every parameter in the order of declaration.
    var parameters: [Parameter] { get }
    /// Multiply-accumulates for each input pixel of one plain pass.
    var multiplicationsPerPixel: Double { get }
    /// What the tiler must respect.
    var tiling: TileRequirements { get }

    /// Maps [3, batch, height, width] in [0, 1] to the same shape; height and width are multiples of `tiling.multiple`.
    func callAsFunction(_ image: Variable, _ pass: Pass) -> Variable
}

extension Network {
    public var parameterCount: Int { parameters.reduce(0) { $0 + $1.count } }

    /// The output for `image` without recording anything.
    public func infer(_ image: Tensor, _ weights: Weights) -> Tensor {
        callAsFunction(Variable(image), Pass(weights)).tensor
    }
}

/// What a network needs of tiles, all in pixels at its input.
public struct TileRequirements: Sendable, Equatable {
    /// Height and width must be multiples of this.
    public let multiple: Int
    /// Neighbouring tiles share this much, blended; beyond it the effective influence of a pixel is negligible.
    public let overlap: Int
    /// Bytes of working memory for each pixel of a tile.
    public let bytesPerPixel: Int

    public init(multiple: Int, overlap: Int, bytesPerPixel: Int) {
        self.multiple = multiple
        self.overlap = overlap
        self.bytesPerPixel = bytesPerPixel
    }
}

/// A network's name and widths: enough to build it again.
public enum NetworkConfiguration: Sendable, Equatable, Codable {
    case restormer(Restormer.Configuration)
    case nafnet(NAFNetBase.Configuration)

    /// The architecture's name in model files and commands.
    public var name: String {
        switch self {
        case .restormer: "restormer"
        case .nafnet: "nafnet"
        }
    }

    public func makeNetwork() -> any Network {
        switch self {
        case .restormer(let configuration): Restormer(configuration)
        case .nafnet(let configuration): NAFNetBase(configuration)
        }
    }

    /// Presets by the name that commands take.
    public static let named: [String: NetworkConfiguration] = [
        "restormer": .restormer(.published),
        "nafnet": .nafnet(.published),
        "nafnet-compact": .nafnet(.compact),
    ]
}
