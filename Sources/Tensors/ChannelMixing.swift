import CKernels

/// y = op(W)·x (+ bias) at every pixel, the heart of all convolutions but the depthwise ones.
///
/// W is packed once; pixels are packed in bands that stay in the second-level cache, or come packed.
struct ChannelMixing {
    let outputs: Int
    let inputs: Int
    private let packed: Tensor
    private let bias: Tensor?

    /// Packed values of a band of pixels.
    private static let band = 64 * 1024

    /// - Parameters:
    ///   - weights: op(W), outputs × inputs.
    ///   - bias: `outputs` values.
    ///   - rowScale: factors of the rows of op(W), for the bias too.
    ///   - columnScale: factors of its columns.
    init(
        outputs: Int, inputs: Int, weights: MatrixView, bias: UnsafePointer<Float>? = nil,
        rowScale: UnsafePointer<Float>? = nil, columnScale: UnsafePointer<Float>? = nil
    ) {
        self.outputs = outputs
        self.inputs = inputs
        packed = Tensors.packed(
            weights.pointer, weights.isTransposed ? (1, weights.row) : (weights.row, 1), outputs, inputs,
            rowScale: rowScale, columnScale: columnScale)
        self.bias = bias.map { bias in
            Tensor([outputs]) {
                for o in 0..<outputs { $0[o] = bias[o] * (rowScale?[o] ?? 1) }
            }
        }
    }

    /// All outputs of a weight [outputs, inputs, …], or the given rows of it, packed once for all passes.
    init(_ weight: Tensor, rows: [Range<Int>]? = nil, bias: Tensor? = nil) {
        outputs = rows.map { $0.reduce(0) { $0 + $1.count } } ?? weight.shape[0]
        inputs = weight.count / weight.shape[0]
        packed = weight.derived(rows.map { "packed rows \($0)" } ?? "packed") {
            let part = rows.map { weight.rows($0) } ?? weight
            return part.withPointer {
                Tensors.packed($0, (part.count / part.shape[0], 1), part.shape[0], part.count / part.shape[0])
            }
        }
        self.bias = rows.map { bias?.rows($0) } ?? bias
    }

    /// The given columns of a weight [outputs, inputs, …], packed once for all passes.
    init(_ weight: Tensor, columns: Range<Int>) {
        let (rows, row) = (weight.shape[0], weight.count / weight.shape[0])
        (outputs, inputs, bias) = (rows, columns.count, nil)
        packed = weight.derived("packed columns \(columns)") {
            weight.withPointer { Tensors.packed($0 + columns.lowerBound, (row, 1), rows, columns.count) }
        }
    }

    /// Wᵀ of a weight [inputs, outputs, …], packed once for all passes.
    init(transposing weight: Tensor, bias: Tensor? = nil) {
        let (rows, columns) = (weight.shape[0], weight.count / weight.shape[0])
        (outputs, inputs, self.bias) = (columns, rows, bias)
        packed = weight.derived("packed transposed") {
            weight.withPointer { Tensors.packed($0, (1, columns), columns, rows) }
        }
    }

    /// - Parameters:
    ///   - panels: packed pixels.
    ///   - base: `outputs` planes that are added; may be `y`.
    ///   - y: `outputs` planes, `yStride` apart.
    func run(
        packed panels: UnsafePointer<Float>, pixels: Int, adding base: UnsafePointer<Float>? = nil,
        baseStride: Int = 0, into y: UnsafeMutablePointer<Float>, stride yStride: Int
    ) {
        packed.withPointer { packed in
            withOptionalPointer(bias) {
                kernels.mix_packed(packed, $0, outputs, inputs, panels, pixels, base, baseStride, y, yStride)
            }
        }
    }

    /// - Parameters:
    ///   - x: `inputs` planes, `stride` apart.
    ///   - base: `outputs` planes that are added, as far apart as those of `y`; may be `y`.
    ///   - y: `outputs` planes, `stride` apart.
    func run(
        _ x: UnsafePointer<Float>, stride xStride: Int, adding base: UnsafePointer<Float>? = nil,
        into y: UnsafeMutablePointer<Float>, stride yStride: Int, pixels: Int
    ) {
        let columns = Int(kernels.mix_columns)
        let band = min(max(Self.band / inputs / columns, 1), 32) * columns
        _ = Tensor([packedPixels(inputs, min(band, pixels))]) { panels in
            for start in Swift.stride(from: 0, to: pixels, by: band) {
                let count = min(band, pixels - start)
                kernels.pack_pixels(x + start, xStride, inputs, count, band, panels)
                run(
                    packed: panels, pixels: count, adding: base.map { $0 + start }, baseStride: yStride,
                    into: y + start, stride: yStride)
            }
        }
    }
}

/// The packed form of a matrix with these distances between rows and between columns, and factors of both.
private func packed(
    _ weights: UnsafePointer<Float>, _ distance: (row: Int, column: Int), _ outputs: Int, _ inputs: Int,
    rowScale: UnsafePointer<Float>? = nil, columnScale: UnsafePointer<Float>? = nil
) -> Tensor {
    Tensor([kernels.packed_weights(outputs, inputs)]) {
        kernels.pack_weights(weights, distance.row, distance.column, rowScale, columnScale, outputs, inputs, $0)
    }
}

/// Values of the packed form of `pixels` pixels.
func packedPixels(_ inputs: Int, _ pixels: Int) -> Int {
    let columns = Int(kernels.mix_columns)
    return (pixels + columns - 1) / columns * columns * inputs
}

/// dW += g·xᵀ (or = where not `adding`): the weight gradient that belongs to `ChannelMixing`.
///
/// - Parameters:
///   - g: `outputs` planes, `stride` apart.
///   - x: `inputs` planes, `stride` apart.
///   - dw: [outputs, inputs].
func mixingWeightGradient(
    _ g: UnsafePointer<Float>, stride gStride: Int, _ x: UnsafePointer<Float>, stride xStride: Int,
    into dw: UnsafeMutablePointer<Float>, outputs: Int, inputs: Int, pixels: Int, adding: Bool
) {
    rowProducts(
        g, stride: gStride, x, stride: xStride, into: dw, row: inputs, rows: outputs, columns: inputs, length: pixels,
        adding: adding)
}
