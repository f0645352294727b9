import CKernels

/// Depthwise 3×3 convolution: each channel with its own nine weights, zero padding of one pixel.
///
/// - Parameters:
///   - x: [C, batch, height, width].
///   - weight: [C, 1, 3, 3].
///   - bias: [C].
/// - Returns: the shape of `x`. Source: spec E, "depthwise 3×3".
public func depthwise3x3(_ x: Variable, weight: Variable, bias: Variable? = nil) -> Variable {
    let y = timed { Depthwise3x3.forward(x.tensor, weight.tensor, bias?.tensor) }
    return recorded(y, from: [x, weight] + (bias.map { [$0] } ?? [])) { g, gradients in
        Depthwise3x3.backward(g, x, weight, bias, gradients)
    }
}

enum Depthwise3x3 {
    static func forward(_ x: Tensor, _ weight: Tensor, _ bias: Tensor?) -> Tensor {
        precondition(
            weight.shape == [x.channels, 1, 3, 3], "depthwise weight \(weight.shape) for \(x.channels) channels")
        let (height, width) = (x.height, x.width)
        return Tensor(x.shape) { y in
            x.withPointer { x_ in
                weight.withPointer { w in
                    for c in 0..<x.channels {
                        let offset = bias?.withPointer { $0[c] } ?? 0
                        for b in 0..<x.batch {
                            let plane = (c * x.batch + b) * height * width
                            kernels.depthwise3x3(x_ + plane, height, width, 0, height, w + c * 9, offset, y + plane)
                        }
                    }
                }
            }
        }
    }

    /// dx is the same convolution of g with the taps reversed; dw sums g times the shifted input.
    static func backward(
        _ g: Tensor, _ x: Variable, _ weight: Variable, _ bias: Variable?, _ gradients: Gradients
    ) {
        if x.wantsGradient { gradients.add(forward(g, reversed(weight.tensor), nil), to: x) }
        let (height, width) = (g.height, g.width)
        g.withPointer { g_ in
            gradients.accumulateAdding(weight) { dw in
                x.tensor.withPointer { x_ in
                    for c in 0..<g.channels {
                        for b in 0..<g.batch {
                            let plane = (c * g.batch + b) * height * width
                            kernels.depthwise3x3_weights(x_ + plane, g_ + plane, height, width, dw + c * 9)
                        }
                    }
                }
            }
            if let bias { sumRows(g_, rows: g.channels, columns: g.pixels, into: bias, gradients) }
        }
    }

    static func reversed(_ weight: Tensor) -> Tensor {
        Tensor(weight.shape) { target in
            weight.withPointer { source in
                for c in 0..<weight.shape[0] {
                    for k in 0..<9 { target[c * 9 + 8 - k] = source[c * 9 + k] }
                }
            }
        }
    }
}
