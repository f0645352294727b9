/// Maximum over blocks of 2×2 pixels. Of equal values the first in row-major order counts, as in PyTorch.
///
/// - Parameter x: [C, batch, H, W] with even H and W.
/// - Returns: [C, batch, H/2, W/2]. Source: spec E, "max-pool 2×2".
public func maximumPooled(_ x: Variable) -> Variable {
    let shape = x.tensor.shape
    precondition(shape[2] % 2 == 0 && shape[3] % 2 == 0, "\(shape) has odd sides")
    let y = timed {
        Tensor([shape[0], shape[1], shape[2] / 2, shape[3] / 2]) { y in
            x.tensor.withPointer { x in
                forEachBlock(of: shape) { index, corner in y[index] = x[largest(of: x, corner, shape[3])] }
            }
        }
    }
    return recorded(y, from: [x]) { g, gradients in
        let dx = Tensor(shape) { dx in
            dx.update(repeating: 0, count: x.tensor.count)
            g.withPointer { g in
                x.tensor.withPointer { x in
                    forEachBlock(of: shape) { index, corner in dx[largest(of: x, corner, shape[3])] = g[index] }
                }
            }
        }
        gradients.add(dx, to: x)
    }
}

/// Every pixel repeated to a block of 2×2.
///
/// - Parameter x: [C, batch, H, W].
/// - Returns: [C, batch, 2H, 2W]. Source: spec E, "nearest ×2".
public func nearestUpsampled(_ x: Variable) -> Variable {
    let shape = [x.tensor.channels, x.tensor.batch, 2 * x.tensor.height, 2 * x.tensor.width]
    let y = timed {
        Tensor(shape) { y in
            x.tensor.withPointer { x in
                forEachBlock(of: shape) { index, corner in
                    (y[corner], y[corner + 1]) = (x[index], x[index])
                    (y[corner + shape[3]], y[corner + shape[3] + 1]) = (x[index], x[index])
                }
            }
        }
    }
    return recorded(y, from: [x]) { g, gradients in
        let dx = Tensor(x.tensor.shape) { dx in
            g.withPointer { g in
                forEachBlock(of: shape) { index, corner in
                    dx[index] = g[corner] + g[corner + 1] + g[corner + shape[3]] + g[corner + shape[3] + 1]
                }
            }
        }
        gradients.add(dx, to: x)
    }
}

/// Calls `body` with the index of each 2×2 block, counted over all planes of `shape`, and that of its first pixel.
@inline(__always)
private func forEachBlock(of shape: [Int], _ body: (_ index: Int, _ corner: Int) -> Void) {
    let (rows, columns) = (shape[0] * shape[1] * (shape[2] / 2), shape[3] / 2)
    for row in 0..<rows {
        for column in 0..<columns { body(row * columns + column, 2 * (row * shape[3] + column)) }
    }
}

/// The index of the first maximum among the four pixels from `corner` on.
@inline(__always)
private func largest(of x: UnsafePointer<Float>, _ corner: Int, _ width: Int) -> Int {
    var best = corner
    if x[corner + 1] > x[best] { best = corner + 1 }
    if x[corner + width] > x[best] { best = corner + width }
    if x[corner + width + 1] > x[best] { best = corner + width + 1 }
    return best
}
