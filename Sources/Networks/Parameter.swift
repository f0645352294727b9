import Tensors

/// A named array of a network. Names are those of the published checkpoints (spec B).
public struct Parameter: Sendable, Hashable {
    /// Who changes the array, and whether checkpoints must have it.
    public enum Role: Sendable, Hashable {
        /// The optimiser changes it.
        case trained
        /// No pass reads it, but published checkpoints have it: kept as it is.
        case idle
        /// A running mean or variance: training passes move it, the optimiser does not.
        case statistic
        /// A count of training passes that nothing reads: may be missing, and is not kept.
        case counter
        /// Follows from the architecture: may be missing, must have its initial value, and is not kept.
        case constant
    }

    public let name: String
    public let shape: [Int]
    public let initialisation: Initialisation
    public let role: Role

    public var count: Int { shape.reduce(1, *) }

    /// Whether weights hold the array. Checkpoints may lack what they do not.
    public var isKept: Bool { role != .counter && role != .constant }
}

/// How a parameter starts (spec B.7).
public enum Initialisation: Sendable, Hashable {
    case constant(Float)
    /// U(−1/√fanIn, 1/√fanIn), PyTorch's default for convolutions and their biases.
    case uniform(fanIn: Int)
    /// Normal values about 0.
    case normal(deviation: Float)
    /// Ones, and zeros in the centre of each plane of an odd number of values.
    case centreMask

    /// Kaiming's normal values for layers with leaky ReLU behind them, times `scale`.
    static func kaimingNormal(fanIn: Int, slope: Float = 0, scale: Float = 1) -> Initialisation {
        .normal(deviation: scale * (2 / ((1 + slope * slope) * Float(fanIn))).squareRoot())
    }

    /// Xavier's (Glorot's) normal values.
    static func xavierNormal(fanIn: Int, fanOut: Int) -> Initialisation {
        .normal(deviation: (2 / Float(fanIn + fanOut)).squareRoot())
    }

    func callAsFunction(_ shape: [Int], _ random: inout RandomSource) -> Tensor {
        switch self {
        case .constant(let value):
            return Tensor(shape, repeating: value)
        case .uniform(let fanIn):
            let bound = 1 / Float(fanIn).squareRoot()
            return Tensor(shape, (0..<shape.reduce(1, *)).map { _ in (2 * random.uniform() - 1) * bound })
        case .normal(let deviation):
            return Tensor(shape, (0..<shape.reduce(1, *)).map { _ in random.normal() * deviation })
        case .centreMask:
            let taps = shape[2] * shape[3]
            return Tensor(shape, (0..<shape.reduce(1, *)).map { $0 % taps == taps / 2 ? 0 : 1 })
        }
    }
}

/// Where a layer declares its parameters: a path in the tree of names, and the share of the image's pixels it works on.
struct ParameterScope {
    /// What all scopes of one network add to.
    final class Registry {
        var parameters: [Parameter] = []
        var multiplications = 0.0
    }

    let registry: Registry
    private let path: String
    private let pixelShare: Double
    private let runs: Int

    init(_ registry: Registry, path: String = "", pixelShare: Double = 1, runs: Int = 1) {
        self.registry = registry
        self.path = path
        self.pixelShare = pixelShare
        self.runs = runs
    }

    /// The scope named `component` below this one.
    subscript(_ component: String) -> ParameterScope {
        ParameterScope(
            registry, path: path.isEmpty ? component : "\(path).\(component)", pixelShare: pixelShare, runs: runs)
    }

    subscript(_ index: Int) -> ParameterScope { self["\(index)"] }

    /// This scope for layers that see 1/`factor`² of the pixels.
    func reduced(by factor: Int) -> ParameterScope {
        ParameterScope(registry, path: path, pixelShare: 1 / Double(factor * factor), runs: runs)
    }

    /// This scope for layers that a pass runs several times with the same weights.
    func repeated(_ runs: Int) -> ParameterScope {
        ParameterScope(registry, path: path, pixelShare: pixelShare, runs: runs)
    }

    func parameter(
        _ name: String, _ shape: [Int], _ initialisation: Initialisation, role: Parameter.Role = .trained
    ) -> Parameter {
        let parameter = Parameter(name: self[name].path, shape: shape, initialisation: initialisation, role: role)
        registry.parameters.append(parameter)
        return parameter
    }

    /// Counts multiply-accumulates of one of this scope's pixels.
    func count(multiplications: Int) { registry.multiplications += Double(multiplications * runs) * pixelShare }
}
