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
        let (row, column) = weights.isTransposed ? (1, weights.row) : (weights.row, 1)
        packed = Tensor([packedWeights(outputs, inputs)]) {
            kernels.pack_weights(weights.pointer, row, column, rowScale, columnScale, outputs, inputs, $0)
        }
        self.bias = bias.map { bias in
            Tensor([outputs]) {
                for o in 0..<outputs { $0[o] = bias[o] * (rowScale?[o] ?? 1) }
            }
        }
    }

    /// All outputs of a weight [outputs, inputs, …], packed once for all passes.
    init(_ weight: Tensor, bias: Tensor? = nil) {
        outputs = weight.shape[0]
        inputs = weight.count / weight.shape[0]
        packed = weight.derived("packed") {
            Tensor([packedWeights(weight.shape[0], weight.count / weight.shape[0])]) { packed in
                weight.withPointer {
                    let inputs = weight.count / weight.shape[0]
                    kernels.pack_weights($0, inputs, 1, nil, nil, weight.shape[0], inputs, packed)
                }
            }
        }
        self.bias = bias
    }

    /// Wᵀ of a weight [inputs, outputs, …], packed once for all backward passes.
    init(transposing weight: Tensor) {
        let (rows, columns) = (weight.shape[0], weight.count / weight.shape[0])
        outputs = columns
        inputs = rows
        packed = weight.derived("packed transposed") {
            Tensor([packedWeights(columns, rows)]) { packed in
                weight.withPointer { kernels.pack_weights($0, 1, columns, nil, nil, columns, rows, packed) }
            }
        }
        bias = nil
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
    ///   - y: `outputs` planes, `stride` apart; added to where `adding`.
    func run(
        _ x: UnsafePointer<Float>, stride xStride: Int, into y: UnsafeMutablePointer<Float>, stride yStride: Int,
        pixels: Int, adding: Bool
    ) {
        let columns = Int(kernels.mix_columns)
        let band = min(max(Self.band / inputs / columns, 1), 32) * columns
        _ = Tensor([packedPixels(inputs, min(band, pixels))]) { panels in
            for start in Swift.stride(from: 0, to: pixels, by: band) {
                let count = min(band, pixels - start)
                kernels.pack_pixels(x + start, xStride, inputs, count, band, panels)
                run(
                    packed: panels, pixels: count, adding: adding ? y + start : nil, baseStride: yStride,
                    into: y + start,
                    stride: yStride)
            }
        }
    }
}

/// Values of the packed form of a matrix.
func packedWeights(_ outputs: Int, _ inputs: Int) -> Int {
    let rows = Int(kernels.mix_rows)
    return (outputs + rows - 1) / rows * rows * inputs
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
    if !adding { dw.update(repeating: 0, count: outputs * inputs) }
    rowProducts(
        g, stride: gStride, x, stride: xStride, into: dw, row: inputs, rows: outputs, columns: inputs, length: pixels)
}
