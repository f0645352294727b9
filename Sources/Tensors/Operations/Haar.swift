/// The orthonormal Haar transform of 2×2 blocks [[a, b], [c, d]]: half their sum, and half the differences of rows, of
/// columns and of diagonals.
///
/// - Parameter x: [C, batch, H, W] with even H and W.
/// - Returns: [4·C, batch, H/2, W/2], the four bands of a channel one after the other. Source: spec C.7 and E, "Haar".
public func haarTransformed(_ x: Variable) -> Variable {
    haarBands(pixelUnshuffle(x, factor: 2))
}

/// The inverse of `haarTransformed`: [4·C, batch, H, W] to [C, batch, 2H, 2W].
public func haarRestored(_ x: Variable) -> Variable {
    pixelShuffle(haarBands(x), factor: 2)
}

/// Blocks to bands or bands to blocks, four channels each: the matrix is symmetric and its own inverse, so that the
/// gradient is transformed in the same way.
private func haarBands(_ x: Variable) -> Variable {
    func transform(_ tensor: Tensor) -> Tensor {
        let pixels = tensor.pixels
        return Tensor(tensor.shape) { y in
            tensor.withPointer { x in
                for first in stride(from: 0, to: tensor.count, by: 4 * pixels) {
                    for p in first..<first + pixels {
                        let (a, b, c, d) = (x[p], x[p + pixels], x[p + 2 * pixels], x[p + 3 * pixels])
                        y[p] = (a + b + c + d) / 2
                        y[p + pixels] = (a + b - c - d) / 2
                        y[p + 2 * pixels] = (a - b + c - d) / 2
                        y[p + 3 * pixels] = (a - b - c + d) / 2
                    }
                }
            }
        }
    }
    return recorded(timed { transform(x.tensor) }, from: [x]) { g, gradients in gradients.add(transform(g), to: x) }
}
