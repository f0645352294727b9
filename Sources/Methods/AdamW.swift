import Networks
import Synchronization
import Tensors

/// AdamW with bias correction (spec E): one state for each parameter, all in single precision.
public struct AdamW: Sendable {
    public let beta1: Float
    public let beta2: Float
    public let epsilon: Float
    public let weightDecay: Float
    /// Steps taken.
    public private(set) var steps: Int
    /// Running means of the gradient and of its square, by parameter name.
    public private(set) var first: [String: Tensor]
    public private(set) var second: [String: Tensor]

    /// - Parameter weightDecay: 0 in AMSNet's code (spec A.11, item 7).
    public init(beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-8, weightDecay: Float = 0) {
        self.init(
            beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: weightDecay, steps: 0, first: [:], second: [:])
    }

    /// Resumes a stored state.
    public init(
        beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-8, weightDecay: Float = 0,
        steps: Int, first: [String: Tensor], second: [String: Tensor]
    ) {
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.weightDecay = weightDecay
        self.steps = steps
        self.first = first
        self.second = second
    }

    /// One parameter and its running means, which a thread changes in place.
    private struct State: Sendable {
        let name: String
        var value, first, second: Tensor
    }

    /// Forgets all steps: what was learned so far counts as a start, not as a direction.
    mutating func restart(for parameters: [Parameter]) {
        steps = 0
        first = Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, Tensor($0.shape)) })
        second = first
    }

    /// Changes every weight that has a gradient.
    public mutating func step(
        _ weights: inout Weights, _ gradients: [String: Tensor], rate: Float, threads: Int = 1
    ) throws {
        steps += 1
        let correction1 = 1 - power(Double(beta1), steps)
        let correction2 = 1 - power(Double(beta2), steps)
        let numbers = AdamStep(
            rate: rate, decay: weightDecay, beta1: beta1, beta2: beta2, epsilon: epsilon,
            step: Float(Double(rate) / correction1), root: Float(correction2.squareRoot()))
        var states: [State?] = []
        for (name, gradient) in gradients {
            guard let value = weights.tensors.removeValue(forKey: name) else { continue }
            let moments = [first, second].map { $0[name] ?? Tensor(gradient.shape) }
            (first[name], second[name]) = (nil, nil)
            states.append(State(name: name, value: value, first: moments[0], second: moments[1]))
        }
        let waiting = Mutex(states)
        let count = states.count
        states = []
        for state in try parallelMap(
            count, threads: threads,
            { index -> State? in
                // Taken out, so that nothing else holds its tensors and they change in place.
                guard var state = waiting.withLock({ $0[index].take() }), let gradient = gradients[state.name] else {
                    return nil
                }
                adamStep(&state.value, &state.first, &state.second, gradient, numbers)
                return state
            })
        {
            guard let state else { continue }
            weights.tensors[state.name] = state.value
            first[state.name] = state.first
            second[state.name] = state.second
        }
    }

    /// βⁿ by repeated squaring: the same bits on every machine.
    private func power(_ beta: Double, _ exponent: Int) -> Double {
        var (result, square, rest) = (1.0, beta, exponent)
        while rest > 0 {
            if rest & 1 == 1 { result *= square }
            square *= square
            rest >>= 1
        }
        return result
    }
}
