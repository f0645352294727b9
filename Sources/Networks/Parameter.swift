import Tensors

/// A named array that training changes. Names are those of the published checkpoints (spec B).
public struct Parameter: Sendable, Hashable {
    public let name: String
    public let shape: [Int]
    public let initialisation: Initialisation

    public var count: Int { shape.reduce(1, *) }
}

/// How a parameter starts (spec B.7).
public enum Initialisation: Sendable, Hashable {
    case constant(Float)
    /// U(−1/√fanIn, 1/√fanIn), PyTorch's default for convolutions and their biases.
    case uniform(fanIn: Int)

    func callAsFunction(_ shape: [Int], _ random: inout RandomSource) -> Tensor {
        switch self {
        case .constant(let value):
            return Tensor(shape, repeating: value)
        case .uniform(let fanIn):
            let bound = 1 / Float(fanIn).squareRoot()
            return Tensor(shape, (0..<shape.reduce(1, *)).map { _ in (2 * random.uniform() - 1) * bound })
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

    init(_ registry: Registry, path: String = "", pixelShare: Double = 1) {
        self.registry = registry
        self.path = path
        self.pixelShare = pixelShare
    }

    /// The scope named `component` below this one.
    subscript(_ component: String) -> ParameterScope {
        ParameterScope(registry, path: path.isEmpty ? component : "\(path).\(component)", pixelShare: pixelShare)
    }

    subscript(_ index: Int) -> ParameterScope { self["\(index)"] }

    /// This scope for layers that see 1/`factor`² of the pixels.
    func reduced(by factor: Int) -> ParameterScope {
        ParameterScope(registry, path: path, pixelShare: 1 / Double(factor * factor))
    }

    func parameter(_ name: String, _ shape: [Int], _ initialisation: Initialisation) -> Parameter {
        let parameter = Parameter(name: self[name].path, shape: shape, initialisation: initialisation)
        registry.parameters.append(parameter)
        return parameter
    }

    /// Counts multiply-accumulates of one of this scope's pixels.
    func count(multiplications: Int) { registry.multiplications += Double(multiplications) * pixelShare }
}
