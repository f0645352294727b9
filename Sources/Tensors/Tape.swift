import CKernels

/// A tensor that a tape may follow.
public struct Variable {
    public let tensor: Tensor
    let node: Node?

    struct Node {
        let tape: Tape
        let slot: Int
    }

    /// A constant: no gradient flows into it.
    public init(_ tensor: Tensor) {
        self.tensor = tensor
        node = nil
    }

    init(_ tensor: Tensor, _ node: Node?) {
        self.tensor = tensor
        self.node = node
    }

    /// Whether a tape follows it.
    public var wantsGradient: Bool { node != nil }
}

/// Remembers operations in the order they ran, to walk back through them. One tape serves one thread.
///
/// Operations record themselves when one of their inputs is on a tape; without a tape the same code only computes.
public final class Tape {
    private var steps: [(slot: Int, backward: (Tensor, Gradients) -> Void)] = []
    private var slots = 0

    public init() {}

    /// A leaf whose gradient is wanted.
    public func variable(_ tensor: Tensor) -> Variable {
        defer { slots += 1 }
        return Variable(tensor, Variable.Node(tape: self, slot: slots))
    }

    /// Walks back from `output`, whose gradient is `seed` (same shape), and forgets the recorded operations.
    /// Returns the gradients of the leaves.
    ///
    /// - Parameter earlier: gradients of another run of the same leaves, to be added to.
    public func backward(from output: Variable, seed: Tensor, addingTo earlier: Gradients? = nil) -> Gradients {
        backward(from: [(output, seed)], addingTo: earlier)
    }

    /// The same from several outputs at once; a loss may depend on all of them.
    public func backward(
        from outputs: [(variable: Variable, seed: Tensor)], addingTo earlier: Gradients? = nil
    ) -> Gradients {
        let gradients = earlier ?? Gradients()
        gradients.reserve(slots: slots)
        for (output, seed) in outputs {
            precondition(output.node?.tape === self, "the output was not computed on this tape")
            precondition(seed.shape == output.tensor.shape, "the gradient's shape differs from the output's")
            gradients.add(seed, to: output)
        }
        while let step = steps.popLast() {
            guard let gradient = gradients.take(step.slot) else { continue }
            step.backward(gradient, gradients)
        }
        return gradients
    }

    fileprivate func append(_ tensor: Tensor, _ backward: @escaping (Tensor, Gradients) -> Void) -> Variable {
        let variable = variable(tensor)
        steps.append((slots - 1, backward))
        return variable
    }
}

/// The result of an operation: recorded on the tape that follows any of `inputs`, a constant otherwise.
///
/// - Parameters:
///   - operation: what a profile calls it; the calling function.
///   - backward: receives the result's gradient and adds to those of the inputs.
func recorded(
    _ tensor: Tensor, from inputs: [Variable], operation: StaticString = #function,
    backward: @escaping (Tensor, Gradients) -> Void
) -> Variable {
    guard let tape = inputs.lazy.compactMap({ $0.node?.tape }).first else { return Variable(tensor) }
    return tape.append(tensor) { gradient, gradients in
        timed(operation, suffix: " backward") { backward(gradient, gradients) }
    }
}

/// Gradients under way, one for each variable of a tape.
public final class Gradients {
    private var tensors: [Tensor?] = []

    func reserve(slots: Int) { tensors += Array(repeating: nil, count: slots - tensors.count) }

    /// The gradient of a leaf, or nil where the output does not depend on it.
    public subscript(_ variable: Variable) -> Tensor? { variable.node.flatMap { tensors[$0.slot] } }

    func take(_ variable: Variable) -> Tensor? { variable.node.flatMap { take($0.slot) } }

    func take(_ slot: Int) -> Tensor? {
        defer { tensors[slot] = nil }
        return tensors[slot]
    }

    /// Adds `gradient` to that of `variable`; constants take none.
    func add(_ gradient: Tensor, to variable: Variable) {
        guard let slot = variable.node?.slot else { return }
        guard var sum = take(slot) else { return tensors[slot] = gradient }
        let count = sum.count
        sum.withMutablePointer { target in
            gradient.withPointer { kernels.add(target, $0, target, count) }
        }
        tensors[slot] = sum
    }

    /// Lets `body` add to the gradient of `variable` in place. Its second argument is false when the buffer is
    /// uninitialised and must be overwritten, true when it must be added to.
    func accumulate(_ variable: Variable, _ body: (UnsafeMutablePointer<Float>, Bool) -> Void) {
        guard let slot = variable.node?.slot else { return }
        if var sum = take(slot) {
            sum.withMutablePointer { body($0, true) }
            tensors[slot] = sum
        } else {
            tensors[slot] = Tensor(variable.tensor.shape) { body($0, false) }
        }
    }
}

extension Gradients {
    /// As `accumulate`, for bodies that can only add: a fresh buffer is zeroed first.
    func accumulateAdding(_ variable: Variable, _ body: (UnsafeMutablePointer<Float>) -> Void) {
        accumulate(variable) { pointer, adding in
            if !adding { pointer.update(repeating: 0, count: variable.tensor.count) }
            body(pointer)
        }
    }
}
