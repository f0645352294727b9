import CKernels

/// Dense 3×3 convolution, zero padding of one pixel, stride 1.
///
/// - Parameters:
///   - x: [Cin, batch, height, width].
///   - weight: [Cout, Cin, 3, 3].
///   - bias: [Cout].
///   - slope: of a leaky ReLU behind it, at least 0; nil for none.
/// - Returns: [Cout, batch, height, width]. Source: spec E, "conv k×k".
public func convolution3x3(_ x: Variable, weight: Variable, bias: Variable? = nil, slope: Float? = nil) -> Variable {
    let y = timed { Convolution3x3.forward(x.tensor, weight.tensor, bias?.tensor, slope: slope) }
    return recorded(y, from: [x, weight] + (bias.map { [$0] } ?? [])) { g, gradients in
        let g = slope.map { rectificationGradient(g, output: y, slope: $0) } ?? g
        Convolution3x3.backward(g, x, weight, bias, gradients)
    }
}

enum Convolution3x3 {
    static func forward(_ x: Tensor, _ weight: Tensor, _ bias: Tensor?, slope: Float? = nil) -> Tensor {
        let (inputs, outputs) = (x.channels, weight.shape[0])
        precondition(
            weight.shape == [outputs, inputs, 3, 3], "3×3 weight \(weight.shape) does not fit \(inputs) channels")
        let transformed = Convolution3x3.transformed(weight)
        return Tensor([outputs] + x.shape[1...]) { y in
            _ = Tensor([kernels.convolution_sizes(outputs, inputs).scratch]) { scratch in
                x.withPointer { source in
                    transformed.withPointer { u in
                        withOptionalPointer(bias) {
                            kernels.convolution3x3(
                                u, $0, slope ?? 1, outputs, inputs, source, x.batch, x.height, x.width, y, scratch)
                        }
                    }
                }
            }
        }
    }

    /// The weights as the kernel takes them.
    private static func transformed(_ weight: Tensor) -> Tensor {
        let (outputs, inputs) = (weight.shape[0], weight.shape[1])
        return weight.derived("convolution") {
            Tensor([kernels.convolution_sizes(outputs, inputs).weights]) { u in
                weight.withPointer { kernels.convolution_weights($0, outputs, inputs, u) }
            }
        }
    }

    /// dx is the convolution of g with the weights flipped in space and exchanged in channels; dW = g·columnsᵀ.
    static func backward(
        _ g: Tensor, _ x: Variable, _ weight: Variable, _ bias: Variable?, _ gradients: Gradients
    ) {
        let (inputs, outputs, pixels) = (x.tensor.channels, g.channels, g.pixels)
        if x.wantsGradient { gradients.add(forward(g, flipped(weight.tensor), nil), to: x) }
        g.withPointer { g in
            gradients.accumulate(weight) { dw, adding in
                forEachBand(of: x.tensor) { columns, start, count in
                    mixingWeightGradient(
                        g + start, stride: pixels, columns, stride: count, into: dw, outputs: outputs,
                        inputs: inputs * 9, pixels: count, adding: adding || start > 0)
                }
            }
            if let bias { sumRows(g, rows: outputs, columns: pixels, into: bias, gradients) }
        }
    }

    /// [Cout, Cin, 3, 3] to [Cin, Cout, 3, 3] with the nine taps reversed.
    static func flipped(_ weight: Tensor) -> Tensor {
        let (outputs, inputs) = (weight.shape[0], weight.shape[1])
        return Tensor([inputs, outputs, 3, 3]) { target in
            weight.withPointer { source in
                for o in 0..<outputs {
                    for i in 0..<inputs {
                        for k in 0..<9 { target[(i * outputs + o) * 9 + 8 - k] = source[(o * inputs + i) * 9 + k] }
                    }
                }
            }
        }
    }

    /// Calls `body` for bands of whole rows with the band's neighbourhoods as a matrix [Cin·9, pixels of the band],
    /// the first pixel and the number of pixels. A band may span images.
    static func forEachBand(of x: Tensor, _ body: (UnsafePointer<Float>, Int, Int) -> Void) {
        let (rows, width) = (x.batch * x.height, x.width)
        let rowsPerBand = min(rows, max(1, 2048 / width))
        _ = Tensor([x.channels * 9, rowsPerBand * width]) { columns in
            x.withPointer { source in
                for first in stride(from: 0, to: rows, by: rowsPerBand) {
                    let count = min(rowsPerBand, rows - first)
                    unfold(source, x, rows: first..<first + count, into: columns)
                    body(columns, first * width, count * width)
                }
            }
        }
    }

    /// columns[(c·9 + 3·(dy+1) + dx+1)][r·w + column] = x[c][row + dy][column + dx], zero outside of the image.
    private static func unfold(
        _ source: UnsafePointer<Float>, _ x: Tensor, rows: Range<Int>, into columns: UnsafeMutablePointer<Float>
    ) {
        let (height, width, pixels) = (x.height, x.width, x.pixels)
        var target = columns
        for c in 0..<x.channels {
            for dy in -1...1 {
                for dx in -1...1 {
                    for row in rows {
                        let y = row % height + dy
                        if y < 0 || y >= height {
                            target.update(repeating: 0, count: width)
                        } else {
                            shift(source + c * pixels + (row + dy) * width, by: dx, width: width, into: target)
                        }
                        target += width
                    }
                }
            }
        }
    }

    private static func shift(
        _ row: UnsafePointer<Float>, by dx: Int, width: Int, into target: UnsafeMutablePointer<Float>
    ) {
        switch dx {
        case -1:
            target[0] = 0
            (target + 1).update(from: row, count: width - 1)
        case 1:
            target.update(from: row + 1, count: width - 1)
            target[width - 1] = 0
        default:
            target.update(from: row, count: width)
        }
    }
}
