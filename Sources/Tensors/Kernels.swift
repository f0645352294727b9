import CKernels

/// The kernels of this machine's instruction set.
let kernels: dn_kernels = dn_active_kernels().pointee

/// What the arithmetic runs on, for `bench` and bug reports: kernel table and OpenBLAS core.
public var arithmeticName: String {
    "\(String(cString: kernels.name)), OpenBLAS \(String(cString: dn_blas_name()))"
}

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

/// C = A·B, or C += A·B where `adding`. C has `rows` rows, `columns` columns and `ldc` elements between rows; `depth` is
/// the summed dimension.
@inline(__always)
func product(
    _ a: MatrixView, _ b: MatrixView, into c: UnsafeMutablePointer<Float>, row ldc: Int,
    rows: Int, columns: Int, depth: Int, adding: Bool
) {
    dn_sgemm(
        a.isTransposed, b.isTransposed, rows, columns, depth, 1, a.pointer, a.row, b.pointer, b.row, adding ? 1 : 0, c,
        ldc)
}
