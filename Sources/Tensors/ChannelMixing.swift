import CKernels

/// y = op(W)·x (+ bias) for planes, the heart of 1×1 convolutions.
///
/// Small matrices, which stay in the second-level cache, go through our own kernel: it needs no packing of W for each
/// band and adds the bias on the way. Large ones go to OpenBLAS in bands.
struct ChannelMixing {
    let outputs: Int
    let inputs: Int
    /// op(W) is outputs × inputs.
    let weights: MatrixView
    let bias: UnsafePointer<Float>?

    /// Elements of W up to which our own kernel is faster than OpenBLAS, by measurement.
    private static let smallMatrix = 128 * 1024
    /// Pixels of a band for OpenBLAS: input and output stay in the second-level cache.
    private static let band = 2048

    /// - Parameters:
    ///   - x: `inputs` planes, `stride` apart.
    ///   - y: `outputs` planes, `stride` apart; added to where `adding`.
    func run(
        _ x: UnsafePointer<Float>, stride xStride: Int, into y: UnsafeMutablePointer<Float>, stride yStride: Int,
        pixels: Int, adding: Bool
    ) {
        if outputs * inputs <= Self.smallMatrix {
            let (row, column) = weights.isTransposed ? (1, weights.row) : (weights.row, 1)
            _ = Tensor([dn_mix_scratch(outputs, inputs)]) { scratch in
                kernels.mix_channels(
                    weights.pointer, row, column, bias, outputs, inputs, x, xStride, y, yStride, pixels, adding, scratch
                )
            }
            return
        }
        for start in Swift.stride(from: 0, to: pixels, by: Self.band) {
            let count = min(Self.band, pixels - start)
            if let bias {
                for o in 0..<outputs {
                    let row = y + o * yStride + start
                    kernels.scale_offset(row, adding ? 1 : 0, bias[o], row, count)
                }
            }
            product(
                weights, MatrixView(x + start, row: xStride), into: y + start, row: yStride,
                rows: outputs, columns: count, depth: inputs, adding: adding || bias != nil)
        }
    }
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
    kernels.mix_channels_weights(g, gStride, outputs, x, xStride, inputs, pixels, dw, inputs)
}
