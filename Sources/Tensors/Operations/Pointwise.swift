import CKernels

/// 1×1 convolution: y = W·x + b at every pixel.
///
/// - Parameters:
///   - x: [Cin, batch, height, width].
///   - weight: [Cout, Cin, 1, 1] (or any shape of Cout·Cin elements).
///   - bias: [Cout].
///   - base: what y is added to, [Cout, batch, height, width].
/// - Returns: [Cout, batch, height, width]. Source: spec E, "conv 1×1".
public func pointwise(
    _ x: Variable, weight: Variable, bias: Variable? = nil, addingTo base: Variable? = nil
) -> Variable {
    let y = timed { Pointwise.forward(x.tensor, weight.tensor, bias?.tensor, addingTo: base?.tensor) }
    return recorded(y, from: [x, weight] + [bias, base].compactMap { $0 }) { g, gradients in
        if let base { gradients.add(g, to: base) }
        Pointwise.backward(g, x, weight, bias, gradients)
    }
}

enum Pointwise {
    static func forward(_ x: Tensor, _ weight: Tensor, _ bias: Tensor?, addingTo base: Tensor?) -> Tensor {
        let (inputs, outputs, pixels) = (x.channels, weight.shape[0], x.pixels)
        precondition(weight.count == inputs * outputs, "1×1 weight \(weight.shape) does not fit \(inputs) channels")
        let mixing = ChannelMixing(weight, bias: bias)
        let shape = [outputs] + x.shape[1...]
        precondition(base == nil || base?.shape == shape, "cannot add \(shape) to \(base?.shape ?? [])")
        return Tensor(shape) { y in
            x.withPointer { x in
                withOptionalPointer(base) {
                    mixing.run(x, stride: pixels, adding: $0, into: y, stride: pixels, pixels: pixels)
                }
            }
        }
    }

    /// dx = Wᵀg; dW = g·xᵀ; db = Σ_p g.
    static func backward(
        _ g: Tensor, _ x: Variable, _ weight: Variable, _ bias: Variable?, _ gradients: Gradients
    ) {
        let (inputs, outputs, pixels) = (x.tensor.channels, g.channels, g.pixels)
        g.withPointer { g in
            gradients.accumulate(x) { dx, adding in
                ChannelMixing(transposing: weight.tensor).run(
                    g, stride: pixels, adding: adding ? UnsafePointer(dx) : nil, into: dx, stride: pixels,
                    pixels: pixels)
            }
            gradients.accumulate(weight) { dw, adding in
                x.tensor.withPointer { x in
                    mixingWeightGradient(
                        g, stride: pixels, x, stride: pixels, into: dw, outputs: outputs, inputs: inputs,
                        pixels: pixels,
                        adding: adding)
                }
            }
            if let bias { sumRows(g, rows: outputs, columns: pixels, into: bias, gradients) }
        }
    }
}

/// Adds the sum of each row of g [rows, columns] to the gradient of `variable` [rows].
func sumRows(
    _ g: UnsafePointer<Float>, rows: Int, columns: Int, into variable: Variable, _ gradients: Gradients
) {
    gradients.accumulateAdding(variable) { sums in
        for row in 0..<rows { sums[row] += kernels.sum(g + row * columns, columns) }
    }
}
