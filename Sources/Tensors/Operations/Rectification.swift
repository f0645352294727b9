import CKernels

/// ReLU: x where it is positive, else 0. Source: spec E.
public func rectified(_ x: Variable) -> Variable { leakyRectified(x, slope: 0) }

/// Leaky ReLU: x where it is positive, else `slope`·x; at 0 the gradient is `slope`. Source: spec E.
///
/// - Parameter slope: at least 0, so that the output tells which side the input was on.
public func leakyRectified(_ x: Variable, slope: Float) -> Variable {
    let count = x.tensor.count
    let y = timed {
        Tensor(x.tensor.shape) { y in x.tensor.withPointer { kernels.leaky_relu($0, slope, y, count) } }
    }
    return recorded(y, from: [x]) { g, gradients in
        gradients.add(rectificationGradient(g, output: y, slope: slope), to: x)
    }
}

/// The gradient at the input of a leaky ReLU from that at its output.
func rectificationGradient(_ g: Tensor, output y: Tensor, slope: Float) -> Tensor {
    Tensor(g.shape) { dx in
        g.withPointer { g in y.withPointer { kernels.leaky_relu_backward($0, g, slope, dx, y.count) } }
    }
}
