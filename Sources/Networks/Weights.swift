import Tensors

/// The values of a network's parameters, by name.
public struct Weights: Sendable {
    public var tensors: [String: Tensor]

    /// Fresh values for training from scratch; the same seed gives the same values.
    public init(initialising network: any Network, seed: UInt64) {
        var random = RandomSource(seed: seed)
        tensors = [:]
        for parameter in network.parameters {
            tensors[parameter.name] = parameter.initialisation(parameter.shape, &random)
        }
    }

    /// Checks that `tensors` are exactly the parameters of `network`, with their shapes and finite values.
    ///
    /// - Throws: `CheckpointError` naming every unknown, missing, misshaped or non-finite tensor.
    public init(_ tensors: [String: Tensor], for network: any Network) throws(CheckpointError) {
        let expected = Dictionary(uniqueKeysWithValues: network.parameters.map { ($0.name, $0.shape) })
        var faults = tensors.keys.filter { expected[$0] == nil }.sorted().map { "unknown tensor \($0)" }
        for parameter in network.parameters {
            guard let tensor = tensors[parameter.name] else {
                faults.append("missing tensor \(parameter.name)")
                continue
            }
            if tensor.shape != parameter.shape {
                faults.append("tensor \(parameter.name) has shape \(tensor.shape) instead of \(parameter.shape)")
            } else if !tensor.isFinite {
                faults.append("tensor \(parameter.name) holds values that are not finite")
            }
        }
        if !faults.isEmpty { throw .mismatch(faults) }
        self.tensors = tensors
    }

    public var count: Int { tensors.values.reduce(0) { $0 + $1.count } }
}

/// A network's weights as operands of one forward run, followed by a tape when gradients are wanted.
public struct Pass {
    private let weights: Weights
    private let variables: [String: Variable]

    /// Inference: nothing is recorded.
    public init(_ weights: Weights) {
        self.weights = weights
        variables = [:]
    }

    /// Training: every weight is a leaf of `tape`.
    public init(_ weights: Weights, on tape: Tape) {
        self.weights = weights
        variables = weights.tensors.mapValues { tape.variable($0) }
    }

    subscript(_ parameter: Parameter) -> Variable {
        if let variable = variables[parameter.name] { return variable }
        guard let tensor = weights.tensors[parameter.name] else {
            preconditionFailure("weights of another network: \(parameter.name) is missing")
        }
        return Variable(tensor)
    }

    /// The gradient of each weight that the output depends on.
    public func gradients(_ gradients: Gradients) -> [String: Tensor] {
        variables.compactMapValues { gradients[$0] }
    }
}
