import CKernels

/// GELU with the true error function, x·Φ(x). Source: spec E.
public func gelu(_ x: Variable) -> Variable {
    let count = x.tensor.count
    let y = timed { Tensor(x.tensor.shape) { y in x.tensor.withPointer { kernels.gelu($0, y, count) } } }
    return recorded(y, from: [x]) { g, gradients in
        let dx = Tensor(g.shape) { dx in
            g.withPointer { g in x.tensor.withPointer { kernels.gelu_backward($0, g, dx, count) } }
        }
        gradients.add(dx, to: x)
    }
}

/// Restormer's gate: gelu of the first half of the channels times the second half.
///
/// - Parameter x: [2h, batch, height, width].
/// - Returns: [h, batch, height, width]. Source: spec B.1, GDFN.
public func geluGate(_ x: Variable) -> Variable {
    let half = x.tensor.count / 2
    let y = timed {
        Tensor([x.tensor.channels / 2] + x.tensor.shape[1...]) { y in
            x.tensor.withPointer { kernels.gelu_gate($0, $0 + half, y, half) }
        }
    }
    return recorded(y, from: [x]) { g, gradients in
        let dx = Tensor(x.tensor.shape) { dx in
            x.tensor.withPointer { x in
                g.withPointer { kernels.gelu_gate_backward(x, x + half, $0, dx, dx + half, half) }
            }
        }
        gradients.add(dx, to: x)
    }
}
