import CKernels

/// x ⊙ M: pixels where the mask is 0 become exactly 0 in every channel.
///
/// - Parameters:
///   - x: [C, batch, height, width].
///   - mask: [1, batch, height, width] of zeros and ones. Source: spec A.2.
public func masked(_ x: Variable, by mask: Tensor) -> Variable {
    let (channels, pixels) = (x.tensor.channels, x.tensor.pixels)
    precondition(mask.count == pixels, "mask \(mask.shape) does not fit \(x.tensor.shape)")
    func apply(_ tensor: Tensor) -> Tensor {
        Tensor(tensor.shape) { y in
            tensor.withPointer { x in
                mask.withPointer { m in
                    for c in 0..<channels { kernels.multiply(x + c * pixels, m, y + c * pixels, pixels) }
                }
            }
        }
    }
    return recorded(apply(x.tensor), from: [x]) { g, gradients in gradients.add(apply(g), to: x) }
}

/// M ⊙ a + (1 − M) ⊙ b, the mask shared by all channels. Source: spec A.3 with two branches, A.8.
public func select(_ mask: Tensor, _ a: Variable, _ b: Variable) -> Variable {
    let (channels, pixels) = (a.tensor.channels, a.tensor.pixels)
    precondition(mask.count == pixels, "mask \(mask.shape) does not fit \(a.tensor.shape)")
    let y = timed {
        Tensor(a.tensor.shape) { y in
            withPointers(mask, a.tensor, b.tensor) { m, a, b in
                for c in 0..<channels { kernels.select(m, a + c * pixels, b + c * pixels, y + c * pixels, pixels) }
            }
        }
    }
    return recorded(y, from: [a, b]) { g, gradients in
        let constant = Variable(g)
        if a.wantsGradient { gradients.add(masked(constant, by: mask).tensor, to: a) }
        if b.wantsGradient { gradients.add(masked(constant, by: complement(mask)).tensor, to: b) }
    }
}
