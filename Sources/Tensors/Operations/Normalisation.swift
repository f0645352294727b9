import CKernels

/// Restormer's bias-free layer norm over the channels of each pixel: y = w·x/√(var + ε), the mean stays in the
/// numerator.
///
/// - Parameters:
///   - x: [C, batch, height, width].
///   - weight: [C].
/// - Returns: the shape of `x`. Source: spec B.1 and E, ε = 1e-5.
public func biasFreeNorm(_ x: Variable, weight: Variable, epsilon: Float = 1e-5) -> Variable {
    let (channels, pixels) = (x.tensor.channels, x.tensor.pixels)
    let y = timed {
        Tensor(x.tensor.shape) { y in
            x.tensor.withPointer { x in
                weight.tensor.withPointer { kernels.norm_biasfree(x, pixels, channels, pixels, $0, epsilon, y, pixels) }
            }
        }
    }
    return recorded(y, from: [x, weight]) { g, gradients in
        var dw = Tensor([channels])
        let dx = Tensor(g.shape) { dx in
            dw.withMutablePointer { dw in
                withPointers(x.tensor, g, weight.tensor) { x, g, w in
                    kernels.norm_biasfree_backward(x, g, pixels, channels, pixels, w, epsilon, dx, dw)
                }
            }
        }
        gradients.add(dx, to: x)
        gradients.add(dw.reshaped(weight.tensor.shape), to: weight)
    }
}

/// NAFNet's layer norm over the channels of each pixel: y = w·(x−μ)/√(var + ε) + b.
///
/// - Parameters:
///   - x: [C, batch, height, width].
///   - weight, bias: [C].
/// - Returns: the shape of `x`. Source: spec B.2 and E, ε = 1e-6.
public func affineNorm(_ x: Variable, weight: Variable, bias: Variable, epsilon: Float = 1e-6) -> Variable {
    let (channels, pixels) = (x.tensor.channels, x.tensor.pixels)
    let y = timed {
        Tensor(x.tensor.shape) { y in
            withPointers(x.tensor, weight.tensor, bias.tensor) { x, w, b in
                kernels.norm_affine(x, pixels, channels, pixels, w, b, epsilon, y, pixels)
            }
        }
    }
    return recorded(y, from: [x, weight, bias]) { g, gradients in
        var dw = Tensor([channels])
        var db = Tensor([channels])
        let dx = Tensor(g.shape) { dx in
            dw.withMutablePointer { dw in
                db.withMutablePointer { db in
                    withPointers(x.tensor, g, weight.tensor) { x, g, w in
                        kernels.norm_affine_backward(x, g, pixels, channels, pixels, w, epsilon, dx, dw, db)
                    }
                }
            }
        }
        gradients.add(dx, to: x)
        gradients.add(dw.reshaped(weight.tensor.shape), to: weight)
        gradients.add(db.reshaped(bias.tensor.shape), to: bias)
    }
}

/// Read access to three tensors at once.
func withPointers<Result>(
    _ a: Tensor, _ b: Tensor, _ c: Tensor,
    _ body: (UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>) -> Result
) -> Result {
    a.withPointer { a in b.withPointer { b in c.withPointer { c in body(a, b, c) } } }
}

/// Read access to two tensors at once.
func withPointers<Result>(
    _ a: Tensor, _ b: Tensor, _ body: (UnsafePointer<Float>, UnsafePointer<Float>) -> Result
) -> Result {
    a.withPointer { a in b.withPointer { b in body(a, b) } }
}
