import CKernels

/// gelu(a)⊙b with [a; b] = depthwise3x3(x), a pair of channels at a time, so that gradients of a and b stay in the cache.
///
/// - Parameters:
///   - x: [2h, batch, height, width].
///   - weight: [2h, 1, 3, 3].
/// - Returns: [h, batch, height, width]. Source: spec B.1, GDFN.
func gatedDepthwise3x3(_ x: Variable, weight: Variable) -> Variable {
    let half = x.tensor.channels / 2
    let (planes, pixels) = (Depthwise3x3.Planes(x.tensor), x.tensor.pixels)
    var pairs = Tensor(x.tensor.shape) { _ in }
    let y = timed {
        Tensor([half] + x.tensor.shape[1...]) { y in
            pairs.withMutablePointer { pairs in
                withPointers(x.tensor, weight.tensor) { x, w in
                    for c in 0..<half {
                        for c in [c, half + c] {
                            planes.convolve(x + c * pixels, w + c * 9, 0, into: pairs + c * pixels)
                        }
                        kernels.gelu_gate(pairs + c * pixels, pairs + (half + c) * pixels, y + c * pixels, pixels)
                    }
                }
            }
        }
    }
    return recorded(y, from: [x, weight]) { [pairs] g, gradients in
        var dw = Tensor(weight.tensor.shape)
        let dx = Tensor(x.tensor.shape) { dx in
            dw.withMutablePointer { dw in
                withPointers(x.tensor, g, Depthwise3x3.reversed(weight.tensor)) { x, g, taps in
                    _ = Tensor([2, pixels]) { pair in
                        for c in 0..<half {
                            pairs.withPointer {
                                kernels.gelu_gate_backward(
                                    $0 + c * pixels, $0 + (half + c) * pixels, g + c * pixels, pair, pair + pixels,
                                    pixels)
                            }
                            for (gradient, c) in [(pair, c), (pair + pixels, half + c)] {
                                planes.backward(
                                    gradient, x + c * pixels, reversed: taps + c * 9, dx: dx + c * pixels,
                                    dw: dw + c * 9)
                            }
                        }
                    }
                }
            }
        }
        gradients.add(dx, to: x)
        gradients.add(dw, to: weight)
    }
}
