import Tensors
import Testing

/// An operation on tensors whose gradients are checked.
typealias Operation = ([Variable]) -> Variable

/// The largest difference between an operation's gradients and the slopes of L = Σ w·y with random w, over every
/// element of every input, relative to the largest slope of the same input (at least 0.01).
///
/// Slopes are differences of fourth order: with step h they err by h⁴/30 of the fifth derivative, and by the rounding
/// of y, 6e-8, over h. Sums are in double.
func gradientError(_ inputs: [Tensor], step: Float, _ operation: @escaping Operation) -> Double {
    let check = GradientCheck(inputs, operation)
    return inputs.indices.map { index in
        let actual = check.gradients[index]
        let slopes = (0..<inputs[index].count).map { element in
            check.slope(of: index, step: step) { $0[element] += $1 }
        }
        let scale = max(slopes.map(abs).max() ?? 0, 0.01)
        return zip(actual, slopes).map { abs($0 - $1) / scale }.max() ?? 0
    }.max() ?? 0
}

/// As `gradientError`, for inputs too large to move one by one: the slope along one random direction of each input.
func directionalError(_ inputs: [Tensor], step: Float, _ operation: @escaping Operation) -> Double {
    let check = GradientCheck(inputs, operation)
    return inputs.indices.map { index in
        let direction = uniform(inputs[index].count, seed: 900 + UInt64(index))
        let slope = check.slope(of: index, step: step) { pointer, distance in
            for element in direction.indices { pointer[element] += distance * direction[element] }
        }
        let actual = zip(check.gradients[index], direction).reduce(0) { $0 + $1.0 * Double($1.1) }
        return abs(actual - slope) / max(abs(slope), 0.01)
    }.max() ?? 0
}

private struct GradientCheck {
    let inputs: [Tensor]
    let operation: Operation
    let functional: [Double]
    let gradients: [[Double]]

    init(_ inputs: [Tensor], _ operation: @escaping Operation) {
        self.inputs = inputs
        self.operation = operation
        let tape = Tape()
        let variables = inputs.map(tape.variable)
        let output = operation(variables)
        let seed = random(output.tensor.shape, seed: 777)
        functional = seed.values.doubles
        let found = tape.backward(from: output, seed: seed)
        gradients = variables.map { (found[$0] ?? Tensor($0.tensor.shape)).values.doubles }
    }

    /// dL/dt of input `index`, moved by `move` over a distance t.
    func slope(of index: Int, step: Float, _ move: (UnsafeMutablePointer<Float>, Float) -> Void) -> Double {
        func value(_ distance: Float) -> Double {
            var moved = inputs
            moved[index].withMutablePointer { move($0, distance) }
            let output = operation(moved.map { Variable($0) }).tensor.values
            return zip(output, functional).reduce(0) { $0 + Double($1.0) * $1.1 }
        }
        let near = value(step) - value(-step), far = value(2 * step) - value(-2 * step)
        return (8 * near - far) / (12 * Double(step))
    }
}

/// Steps of gradient checks.
enum Step {
    /// For linear operations, whose differences are exact at any distance: far beyond rounding.
    static let linear: Float = 0.5
    /// For smooth operations on values near 1: both errors stay near 1e-5.
    static let smooth: Float = 1 / 64
}
