import Tensors

/// The values of a network's parameters, by name.
public struct Weights: Sendable {
    public var tensors: [String: Tensor]

    /// Fresh values for training from scratch; the same seed gives the same values.
    public init(initialising network: any Network, seed: UInt64) {
        var random = RandomSource(seed: seed)
        tensors = [:]
        for parameter in network.parameters where parameter.isKept {
            tensors[parameter.name] = parameter.initialisation(parameter.shape, &random)
        }
    }

    /// Checks that `tensors` are exactly the parameters of `network`, with their shapes and finite values.
    ///
    /// - Throws: `CheckpointError` naming every unknown, missing, misshaped, non-finite or otherwise wrong tensor.
    public init(_ tensors: [String: Tensor], for network: any Network) throws(CheckpointError) {
        try self.init(tensors, named: network.parameters)
    }

    /// As above, for a part of a network's parameters, such as those that an optimiser has means of.
    public init(_ tensors: [String: Tensor], named parameters: [Parameter]) throws(CheckpointError) {
        let expected = Set(parameters.map(\.name))
        var faults = tensors.keys.filter { !expected.contains($0) }.sorted().map { "unknown tensor \($0)" }
        self.tensors = [:]
        for parameter in parameters {
            guard let tensor = tensors[parameter.name] else {
                if parameter.isKept { faults.append("missing tensor \(parameter.name)") }
                continue
            }
            if let fault = parameter.fault(of: tensor) { faults.append("tensor \(parameter.name) \(fault)") }
            if parameter.isKept { self.tensors[parameter.name] = tensor }
        }
        if !faults.isEmpty { throw .mismatch(faults) }
    }

    public var count: Int { tensors.values.reduce(0) { $0 + $1.count } }

    /// Weights on the line to others of the same network.
    ///
    /// - Parameter share: of the way, 0…1.
    public func blended(with others: Weights, share: Float) -> Weights {
        var result = self
        for (name, tensor) in others.tensors {
            guard share < 1, let own = tensors[name] else {
                result.tensors[name] = tensor
                continue
            }
            let values = zip(own.values, tensor.values).map { $0 + share * ($1 - $0) }
            result.tensors[name] = Tensor(tensor.shape, values)
        }
        return result
    }
}

extension Parameter {
    /// What is wrong with `tensor` in this parameter's place.
    fileprivate func fault(of tensor: Tensor) -> String? {
        if tensor.shape != shape { return "has shape \(tensor.shape) instead of \(shape)" }
        if !tensor.isFinite { return "holds values that are not finite" }
        guard role == .constant else { return nil }
        var unused = RandomSource(seed: 0)
        return tensor.values == initialisation(shape, &unused).values ? nil : "is not what the network defines"
    }
}

/// A network's weights as operands of one forward run, followed by a tape when gradients are wanted.
public struct Pass {
    private let weights: Weights
    private let variables: [String: Variable]
    private let moved: MovedStatistics?

    /// Inference: nothing is recorded.
    public init(_ weights: Weights) {
        self.weights = weights
        variables = [:]
        moved = nil
    }

    /// Training: weights are leaves of `tape`.
    ///
    /// - Parameter learns: by name, which weights; the others are constants.
    public init(_ weights: Weights, on tape: Tape, learns: (String) -> Bool = { _ in true }) {
        self.weights = weights
        variables = weights.tensors.filter { learns($0.key) }.mapValues { tape.variable($0) }
        moved = MovedStatistics()
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

/// Running statistics: read in inference, moved in training.
extension Pass {
    /// Whether layers work with a batch's own statistics.
    var isTraining: Bool { moved != nil }

    /// Notes that this batch moves a statistic to (1 − `share`)·old + `share`·`value`.
    func move(_ parameter: Parameter, towards value: Tensor, share: Float) {
        moved?.values[parameter.name, default: []].append(
            blend(self[parameter].tensor, value, share: share))
    }

    /// Where this pass moves each running statistic, the mean over the runs that it served.
    public var statistics: [String: Tensor] { moved?.values.mapValues { mean($0) } ?? [:] }

    private final class MovedStatistics {
        var values: [String: [Tensor]] = [:]
    }
}
