/// Dense k×k convolution for odd k and any stride, zero padding of k/2 pixels.
///
/// - Parameters:
///   - x: [Cin, batch, height, width].
///   - weight: [Cout, Cin, k, k].
///   - bias: [Cout].
///   - slope: of a leaky ReLU behind it, at least 0; nil for none.
///   - stride: every so-manieth pixel of each row and column is computed, from the first.
/// - Returns: [Cout, batch, ⌈height/stride⌉, ⌈width/stride⌉]. Source: spec E, "conv k×k" and "conv 3×3 s2".
public func convolution(
    _ x: Variable, weight: Variable, bias: Variable? = nil, stride: Int = 1, slope: Float? = nil
) -> Variable {
    let shape = weight.tensor.shape
    precondition(
        shape.count == 4 && shape[1] == x.tensor.channels && shape[2] == shape[3] && shape[2] % 2 == 1,
        "weight \(shape) does not fit \(x.tensor.channels) channels")
    if shape[2] == 3 && stride == 1 { return convolution3x3(x, weight: weight, bias: bias, slope: slope) }
    let neighbourhoods = Neighbourhoods(x.tensor, kernel: shape[2], stride: stride)
    let y = timed { neighbourhoods.convolve(x.tensor, weight.tensor, bias?.tensor) }
    let output = recorded(y, from: [x, weight] + (bias.map { [$0] } ?? [])) { g, gradients in
        neighbourhoods.backward(g, x, weight, bias, gradients)
    }
    return slope.map { leakyRectified(output, slope: $0) } ?? output
}

/// A convolution whose taps lie `dilation` pixels apart.
///
/// The pixels of one phase (row and column modulo the dilation) see only each other, so each phase is an image of its
/// own under the plain convolution, and what makes that fast serves here too.
///
/// - Parameters:
///   - x: [C, batch, height, width].
///   - convolution: keeps height and width, pads with zeros.
public func dilated(_ x: Variable, by dilation: Int, _ convolution: (Variable) -> Variable) -> Variable {
    if dilation == 1 { return convolution(x) }
    let (height, width) = (x.tensor.height, x.tensor.width)
    func roundUp(_ size: Int) -> Int { (size + dilation - 1) / dilation * dilation }
    let phases = pixelDownsample(padded(x, height: roundUp(height), width: roundUp(width)), stride: dilation)
    return cropped(pixelUpsample(convolution(phases), stride: dilation), height: height, width: width)
}

/// The weight with its centre taps at 0: a convolution that does not see its own pixel.
///
/// - Parameter weight: [Cout, Cin, k, k], k odd. Source: spec B.6 and E, "centre-masked conv".
public func centreMasked(_ weight: Variable) -> Variable {
    func apply(_ tensor: Tensor) -> Tensor {
        let taps = tensor.shape[2] * tensor.shape[3]
        var result = tensor
        result.withMutablePointer { values in
            for centre in stride(from: taps / 2, to: tensor.count, by: taps) { values[centre] = 0 }
        }
        return result
    }
    return recorded(apply(weight.tensor), from: [weight]) { g, gradients in gradients.add(apply(g), to: weight) }
}

/// The k×k neighbourhoods of an activation as a matrix [Cin·k², output pixels], a band of rows at a time.
private struct Neighbourhoods {
    let channels: Int, batch: Int, height: Int, width: Int
    let kernel: Int
    let stride: Int

    init(_ x: Tensor, kernel: Int, stride: Int) {
        (channels, batch, height, width) = (x.channels, x.batch, x.height, x.width)
        self.kernel = kernel
        self.stride = stride
    }

    private var outputHeight: Int { (height - 1) / stride + 1 }
    private var outputWidth: Int { (width - 1) / stride + 1 }
    /// Rows of the matrix.
    private var features: Int { channels * kernel * kernel }
    private var outputPixels: Int { batch * outputHeight * outputWidth }

    func convolve(_ x: Tensor, _ weight: Tensor, _ bias: Tensor?) -> Tensor {
        Tensor([weight.shape[0], batch, outputHeight, outputWidth]) { y in
            let mixing = ChannelMixing(weight, bias: bias)
            x.withPointer { x in
                forEachBand { columns, rows, start, count in
                    unfold(x, rows, into: columns)
                    mixing.run(
                        columns, stride: count, into: y + start, stride: outputPixels, pixels: count)
                }
            }
        }
    }

    /// dx = fold(Wᵀg); dW = g·columnsᵀ; db = Σ_p g.
    func backward(_ g: Tensor, _ x: Variable, _ weight: Variable, _ bias: Variable?, _ gradients: Gradients) {
        let outputs = g.channels
        withPointers(g, x.tensor) { g, x_ in
            gradients.accumulateAdding(x) { dx in
                let mixing = ChannelMixing(transposing: weight.tensor)
                forEachBand { columns, rows, start, count in
                    mixing.run(
                        g + start, stride: outputPixels, into: columns, stride: count, pixels: count)
                    fold(columns, rows, into: dx)
                }
            }
            gradients.accumulate(weight) { dw, adding in
                forEachBand { columns, rows, start, count in
                    unfold(x_, rows, into: columns)
                    mixingWeightGradient(
                        g + start, stride: outputPixels, columns, stride: count, into: dw, outputs: outputs,
                        inputs: features, pixels: count, adding: adding || start > 0)
                }
            }
            if let bias { sumRows(g, rows: outputs, columns: outputPixels, into: bias, gradients) }
        }
    }

    /// Calls `body` with memory for one band of the matrix, the band's output rows counted over all images, its first
    /// pixel and its number of pixels.
    private func forEachBand(_ body: (UnsafeMutablePointer<Float>, Range<Int>, _ start: Int, _ count: Int) -> Void) {
        let rows = batch * outputHeight
        // A band of 4 MiB, or a row: wide enough for a fast product.
        let band = min(rows, max(1, (1 << 20) / (features * outputWidth)))
        _ = Tensor([features * band * outputWidth]) { columns in
            for first in Swift.stride(from: 0, to: rows, by: band) {
                let last = min(first + band, rows)
                body(columns, first..<last, first * outputWidth, (last - first) * outputWidth)
            }
        }
    }

    /// columns[c·k² + u·k + v][row, column] = x[c](stride·row + u − k/2, stride·column + v − k/2), 0 outside.
    private func unfold(_ x: UnsafePointer<Float>, _ rows: Range<Int>, into columns: UnsafeMutablePointer<Float>) {
        forEachLine(rows) { line, first, inside in
            let target = columns + line
            target.update(repeating: 0, count: inside.lowerBound)
            for column in inside { target[column] = x[first + column * stride] }
            (target + inside.upperBound).update(repeating: 0, count: outputWidth - inside.upperBound)
        }
    }

    /// The adjoint of `unfold`: adds every element to the pixel that it was read from.
    private func fold(_ columns: UnsafePointer<Float>, _ rows: Range<Int>, into dx: UnsafeMutablePointer<Float>) {
        forEachLine(rows) { line, first, inside in
            for column in inside { dx[first + column * stride] += columns[line + column] }
        }
    }

    /// Calls `body` for each output row of each feature: its place in the band's matrix, the index in x that column 0
    /// reads, and the columns that read inside of the image.
    @inline(__always)
    private func forEachLine(_ rows: Range<Int>, _ body: (_ line: Int, _ first: Int, _ inside: Range<Int>) -> Void) {
        let reach = kernel / 2
        var line = 0
        for c in 0..<channels {
            for u in 0..<kernel {
                for v in 0..<kernel {
                    let left = max(0, (reach - v + stride - 1) / stride)
                    let right = min(outputWidth, (width - 1 + reach - v + stride) / stride)
                    for row in rows {
                        let (image, y) = (row / outputHeight, row % outputHeight * stride + u - reach)
                        let isInside = (0..<height).contains(y) && left < right
                        let first = ((c * batch + image) * height + y) * width + v - reach
                        body(line, first, isInside ? left..<right : 0..<0)
                        line += outputWidth
                    }
                }
            }
        }
    }
}
