import CKernels

#if canImport(Glibc)
    import Glibc
#endif

/// NAFNet's SimpleGate: the first half of the channels times the second.
///
/// - Parameter x: [2h, batch, height, width].
/// - Returns: [h, batch, height, width]. Source: spec E, "gating".
public func simpleGate(_ x: Variable) -> Variable {
    let half = x.tensor.count / 2
    let y = timed {
        Tensor([x.tensor.channels / 2] + x.tensor.shape[1...]) { y in
            x.tensor.withPointer { kernels.multiply($0, $0 + half, y, half) }
        }
    }
    return recorded(y, from: [x]) { g, gradients in
        let dx = Tensor(x.tensor.shape) { dx in
            x.tensor.withPointer { x in
                g.withPointer { g in
                    kernels.multiply(g, x + half, dx, half)
                    kernels.multiply(g, x, dx + half, half)
                }
            }
        }
        gradients.add(dx, to: x)
    }
}

/// (1 − σ(z))·a + σ(z)·b: a blend of two activations by a learned map.
///
/// - Parameters:
///   - a, b: [C, batch, height, width].
///   - logits: z, of the same shape. Source: spec B.5 and E, "sigmoid mix".
public func sigmoidMix(_ a: Variable, _ b: Variable, logits: Variable) -> Variable {
    let count = a.tensor.count
    precondition(
        a.tensor.shape == b.tensor.shape && a.tensor.shape == logits.tensor.shape,
        "cannot mix \(a.tensor.shape) and \(b.tensor.shape) by \(logits.tensor.shape)")
    let share = Tensor(a.tensor.shape) { share in
        logits.tensor.withPointer { z in
            for index in 0..<count { share[index] = 1 / (1 + expf(-z[index])) }
        }
    }
    let y = timed {
        Tensor(a.tensor.shape) { y in
            withPointers(share, b.tensor, a.tensor) { share, b, a in kernels.select(share, b, a, y, count) }
        }
    }
    return recorded(y, from: [a, b, logits]) { g, gradients in
        let db = Tensor(g.shape) { db in
            g.withPointer { g in share.withPointer { kernels.multiply(g, $0, db, count) } }
        }
        let da = Tensor(g.shape) { da in
            g.withPointer { g in db.withPointer { kernels.scale_add(g, -1, $0, da, count) } }
        }
        // σ' = σ(1 − σ), hence dz = (b − a)·σ·(1 − σ)·g.
        let dz = Tensor(g.shape) { dz in
            withPointers(a.tensor, b.tensor, share) { a, b, share in
                db.withPointer { db in
                    for index in 0..<count { dz[index] = (b[index] - a[index]) * (1 - share[index]) * db[index] }
                }
            }
        }
        gradients.add(da, to: a)
        gradients.add(db, to: b)
        gradients.add(dz, to: logits)
    }
}
