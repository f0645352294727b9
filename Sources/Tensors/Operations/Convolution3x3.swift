import CKernels

/// Dense 3×3 convolution, zero padding of one pixel, stride 1.
///
/// - Parameters:
///   - x: [Cin, batch, height, width].
///   - weight: [Cout, Cin, 3, 3].
///   - bias: [Cout].
///   - slope: of a leaky ReLU behind it, at least 0; nil for none.
/// - Returns: [Cout, batch, height, width]. Source: spec E, "conv k×k".
public func convolution3x3(_ x: Variable, weight: Variable, bias: Variable? = nil, slope: Float? = nil) -> Variable {
    let y = timed { Convolution3x3.forward(x.tensor, weight.tensor, bias?.tensor, slope: slope) }
    return recorded(y, from: [x, weight] + (bias.map { [$0] } ?? [])) { g, gradients in
        let g = slope.map { rectificationGradient(g, output: y, slope: $0) } ?? g
        Convolution3x3.backward(g, x, weight, bias, gradients)
    }
}

enum Convolution3x3 {
    static func forward(_ x: Tensor, _ weight: Tensor, _ bias: Tensor?, slope: Float? = nil) -> Tensor {
        let (inputs, outputs) = (x.channels, weight.shape[0])
        precondition(
            weight.shape == [outputs, inputs, 3, 3], "3×3 weight \(weight.shape) does not fit \(inputs) channels")
        let transformed = weight.derived("convolution") { Convolution3x3.transformed(weight) }
        return convolved(x, transformed, bias, outputs: outputs, slope: slope)
    }

    /// - Parameter transformed: weights as the kernel takes them.
    private static func convolved(
        _ x: Tensor, _ transformed: Tensor, _ bias: Tensor?, outputs: Int, slope: Float? = nil
    ) -> Tensor {
        let inputs = x.channels
        return Tensor([outputs] + x.shape[1...]) { y in
            _ = Tensor([kernels.convolution_sizes(outputs, inputs).scratch]) { scratch in
                x.withPointer { source in
                    transformed.withPointer { u in
                        withOptionalPointer(bias) {
                            kernels.convolution3x3(
                                u, $0, slope ?? 1, outputs, inputs, source, x.batch, x.height, x.width, y, scratch)
                        }
                    }
                }
            }
        }
    }

    /// The weights as the kernel takes them.
    private static func transformed(_ weight: Tensor) -> Tensor {
        let (outputs, inputs) = (weight.shape[0], weight.shape[1])
        return Tensor([kernels.convolution_sizes(outputs, inputs).weights]) { u in
            weight.withPointer { kernels.convolution_weights($0, outputs, inputs, u) }
        }
    }

    /// dx is the convolution of g with the weights flipped in space and exchanged in channels; dW sums g times the
    /// neighbours over all pixels.
    static func backward(
        _ g: Tensor, _ x: Variable, _ weight: Variable, _ bias: Variable?, _ gradients: Gradients
    ) {
        let (x_, outputs) = (x.tensor, g.channels)
        if x.wantsGradient {
            let transformed = weight.tensor.derived("convolution flipped") { Self.transformed(flipped(weight.tensor)) }
            gradients.add(convolved(g, transformed, nil, outputs: x_.channels), to: x)
        }
        gradients.accumulateAdding(weight) { dw in
            _ = Tensor([kernels.convolution_gradient_scratch(outputs, x_.channels)]) { scratch in
                withPointers(g, x_) { g, source in
                    kernels.convolution3x3_gradient(
                        g, outputs, source, x_.channels, x_.batch, x_.height, x_.width, dw, scratch)
                }
            }
        }
        if let bias {
            g.withPointer { sumRows($0, rows: outputs, columns: g.pixels, into: bias, gradients) }
        }
    }

    /// [Cout, Cin, 3, 3] to [Cin, Cout, 3, 3] with the nine taps reversed.
    static func flipped(_ weight: Tensor) -> Tensor {
        let (outputs, inputs) = (weight.shape[0], weight.shape[1])
        return Tensor([inputs, outputs, 3, 3]) { target in
            weight.withPointer { source in
                for o in 0..<outputs {
                    for i in 0..<inputs {
                        for k in 0..<9 { target[(i * outputs + o) * 9 + 8 - k] = source[(o * inputs + i) * 9 + k] }
                    }
                }
            }
        }
    }
}
