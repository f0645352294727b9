/// ZS-N2N's two noisy views of an image at half its size: of each 2×2 block [[a, b], [c, d]] the mean of b and c, and
/// that of a and d, whose noise is independent where that of neighbours is.
///
/// - Parameters:
///   - x: [C, batch, H, W] with even H and W.
///   - exchanged: whether the second view comes first.
/// - Returns: [C, 2·batch, H/2, W/2], both views of an image one after the other. Source: spec D.1.
public func pairDownsampled(_ x: Variable, exchanged: Bool = false) -> Variable {
    let shape = x.tensor.shape
    precondition(shape[2] % 2 == 0 && shape[3] % 2 == 0, "\(shape) has odd sides")
    let (rows, columns) = (shape[2] / 2, shape[3] / 2)
    /// Calls `body` with the index in the first view, that in the second, and the block's first pixel.
    func forEachBlock(_ body: (_ first: Int, _ second: Int, _ corner: Int) -> Void) {
        for image in 0..<shape[0] * shape[1] {
            for row in 0..<rows {
                let view = (2 * image * rows + row) * columns
                let (first, second) = exchanged ? (view + rows * columns, view) : (view, view + rows * columns)
                let corner = (image * rows + row) * 4 * columns
                for column in 0..<columns { body(first + column, second + column, corner + 2 * column) }
            }
        }
    }
    let y = timed {
        Tensor([shape[0], 2 * shape[1], rows, columns]) { y in
            x.tensor.withPointer { x in
                forEachBlock { first, second, corner in
                    y[first] = (x[corner + 1] + x[corner + 2 * columns]) / 2
                    y[second] = (x[corner] + x[corner + 2 * columns + 1]) / 2
                }
            }
        }
    }
    return recorded(y, from: [x]) { g, gradients in
        let dx = Tensor(shape) { dx in
            g.withPointer { g in
                forEachBlock { first, second, corner in
                    (dx[corner + 1], dx[corner + 2 * columns]) = (g[first] / 2, g[first] / 2)
                    (dx[corner], dx[corner + 2 * columns + 1]) = (g[second] / 2, g[second] / 2)
                }
            }
        }
        gradients.add(dx, to: x)
    }
}
