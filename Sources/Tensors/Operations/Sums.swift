import CKernels

/// a + b, element by element.
public func add(_ a: Variable, _ b: Variable) -> Variable {
    let count = a.tensor.count
    precondition(a.tensor.shape == b.tensor.shape, "cannot add \(a.tensor.shape) and \(b.tensor.shape)")
    let y = timed {
        Tensor(a.tensor.shape) { y in
            a.tensor.withPointer { a in b.tensor.withPointer { kernels.add(a, $0, y, count) } }
        }
    }
    return recorded(y, from: [a, b]) { g, gradients in
        gradients.add(g, to: a)
        gradients.add(g, to: b)
    }
}

/// a − b, element by element.
public func subtract(_ a: Variable, _ b: Variable) -> Variable {
    let count = a.tensor.count
    precondition(a.tensor.shape == b.tensor.shape, "cannot subtract \(b.tensor.shape) from \(a.tensor.shape)")
    let y = timed {
        Tensor(a.tensor.shape) { y in
            a.tensor.withPointer { a in b.tensor.withPointer { kernels.scale_add(a, -1, $0, y, count) } }
        }
    }
    return recorded(y, from: [a, b]) { g, gradients in
        gradients.add(g, to: a)
        let db = Tensor(g.shape) { db in g.withPointer { kernels.scale_offset($0, -1, 0, db, count) } }
        gradients.add(db, to: b)
    }
}

/// NAFNet's scaled residual: y = x + s⊙t with one scale for each channel.
///
/// - Parameters:
///   - x, t: [C, batch, height, width].
///   - scale: C elements. Source: spec B.2, β and γ.
public func scaledResidual(_ x: Variable, _ t: Variable, scale: Variable) -> Variable {
    let (channels, pixels) = (x.tensor.channels, x.tensor.pixels)
    let y = timed {
        Tensor(x.tensor.shape) { y in
            withPointers(x.tensor, t.tensor, scale.tensor) { x, t, s in
                for c in 0..<channels {
                    kernels.scale_add(x + c * pixels, s[c], t + c * pixels, y + c * pixels, pixels)
                }
            }
        }
    }
    return recorded(y, from: [x, t, scale]) { g, gradients in
        gradients.add(g, to: x)
        let dt = Tensor(g.shape) { dt in
            g.withPointer { g in
                scale.tensor.withPointer { s in
                    for c in 0..<channels { kernels.scale_offset(g + c * pixels, s[c], 0, dt + c * pixels, pixels) }
                }
            }
        }
        gradients.add(dt, to: t)
        gradients.accumulateAdding(scale) { ds in
            g.withPointer { g in
                t.tensor.withPointer { t in
                    for c in 0..<channels { ds[c] += kernels.dot(g + c * pixels, t + c * pixels, pixels) }
                }
            }
        }
    }
}

/// Joins channels: [A, …] and [B, …] to [A + B, …].
public func concatenate(_ a: Variable, _ b: Variable) -> Variable {
    let (first, second) = (a.tensor.count, b.tensor.count)
    precondition(a.tensor.shape[1...] == b.tensor.shape[1...], "cannot join \(a.tensor.shape) and \(b.tensor.shape)")
    let y = timed {
        Tensor([a.tensor.channels + b.tensor.channels] + a.tensor.shape[1...]) { y in
            a.tensor.withPointer { y.update(from: $0, count: first) }
            b.tensor.withPointer { (y + first).update(from: $0, count: second) }
        }
    }
    return recorded(y, from: [a, b]) { g, gradients in
        g.withPointer { g in
            gradients.add(Tensor(a.tensor.shape) { $0.update(from: g, count: first) }, to: a)
            gradients.add(Tensor(b.tensor.shape) { $0.update(from: g + first, count: second) }, to: b)
        }
    }
}
