import CKernels

/// NAFNet's simplified channel attention: t ⊙ (W·mean(t) + b), the mean over each image's pixels.
///
/// - Parameters:
///   - t: [C, batch, height, width].
///   - weight: [C, C, 1, 1].
///   - bias: [C].
/// - Returns: the shape of `t`. Source: the NAFNet paper, equation 6; spec B.2, `sca.1`.
public func channelAttention(_ t: Variable, weight: Variable, bias: Variable) -> Variable {
    let area = t.tensor.height * t.tensor.width
    let means = planeMeans(t.tensor)
    let gates = affine(weight.tensor, bias.tensor, means, t.tensor.batch)
    let y = timed {
        Tensor(t.tensor.shape) { y in
            t.tensor.withPointer { t in
                for plane in gates.indices {
                    kernels.scale_offset(t + plane * area, gates[plane], 0, y + plane * area, area)
                }
            }
        }
    }
    return recorded(y, from: [t, weight, bias]) { g, gradients in
        let de = g.withPointer { g in
            t.tensor.withPointer { t in gates.indices.map { kernels.dot(g + $0 * area, t + $0 * area, area) } }
        }
        let dm = affineBackward((weight, bias), inputs: means, outputs: de, t.tensor.batch, gradients)
        let dt = Tensor(g.shape) { dt in
            g.withPointer { g in
                for plane in gates.indices {
                    kernels.scale_offset(
                        g + plane * area, gates[plane], dm[plane] / Float(area), dt + plane * area, area)
                }
            }
        }
        gradients.add(dt, to: t)
    }
}
