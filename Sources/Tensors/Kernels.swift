import CKernels

/// The kernels of this machine's instruction set.
let kernels: dn_kernels = dn_active_kernels().pointee

/// What the arithmetic runs on, for `bench` and bug reports: the kernel table.
public var arithmeticName: String { String(cString: kernels.name) }

/// A row-major matrix somewhere in memory, possibly to be read transposed.
struct MatrixView {
    let pointer: UnsafePointer<Float>
    /// Distance between two rows as stored.
    let row: Int
    private(set) var isTransposed = false

    @inline(__always)
    init(_ pointer: UnsafePointer<Float>, row: Int) {
        self.pointer = pointer
        self.row = row
    }

    var transposed: MatrixView {
        var view = self
        view.isTransposed.toggle()
        return view
    }
}

/// C = A·B, or C += A·B where `adding`. C has `rows` rows, `columns` columns and `ldc` elements between rows; `depth`
/// is the summed dimension. One of A and B may be transposed.
func product(
    _ a: MatrixView, _ b: MatrixView, into c: UnsafeMutablePointer<Float>, row ldc: Int,
    rows: Int, columns: Int, depth: Int, adding: Bool
) {
    guard b.isTransposed else {
        let mixing = ChannelMixing(outputs: rows, inputs: depth, weights: a)
        return mixing.run(
            b.pointer, stride: b.row, adding: adding ? UnsafePointer(c) : nil, into: c, stride: ldc, pixels: columns)
    }
    precondition(!a.isTransposed, "a product of two transposed matrices")
    rowProducts(
        a.pointer, stride: a.row, b.pointer, stride: b.row, into: c, row: ldc, rows: rows, columns: columns,
        length: depth, adding: adding)
}

/// C[m, n] += Σ_p a[m·stride + p]·b[n·stride + p] over 0 ≤ p < length, or = where not `adding`.
///
/// Long rows are multiplied as they lie; short ones are packed, since the sums over the lanes would cost more than the
/// products.
func rowProducts(
    _ a: UnsafePointer<Float>, stride aStride: Int, _ b: UnsafePointer<Float>, stride bStride: Int,
    into c: UnsafeMutablePointer<Float>, row: Int, rows: Int, columns: Int, length: Int,
    adding: Bool
) {
    if length > 512 || columns < Int(kernels.mix_columns) {
        if !adding { for m in 0..<rows { (c + m * row).update(repeating: 0, count: columns) } }
        return kernels.mix_channels_weights(a, aStride, rows, b, bStride, columns, length, c, row)
    }
    let mixing = ChannelMixing(outputs: rows, inputs: length, weights: MatrixView(a, row: aStride))
    let panels = Storage(count: packedPixels(length, columns))
    defer { withExtendedLifetime(panels) {} }
    kernels.pack_transposed(b, bStride, columns, length, panels.pointer)
    mixing.run(
        packed: panels.pointer, pixels: columns, adding: adding ? UnsafePointer(c) : nil, baseStride: row, into: c,
        stride: row)
}
