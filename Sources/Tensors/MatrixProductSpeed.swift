import CKernels

/// What OpenBLAS reaches in single-precision matrix products on this machine, in GFLOP/s, and the name of its kernels:
/// each thread multiplies 1024×1024 matrices of its own. The best of five rounds, since this is the ceiling that
/// networks are compared with.
///
/// - Returns: nil where OpenBLAS is not installed or has no room.
public func matrixProductSpeed(threads: Int) -> (gflops: Double, core: String)? {
    guard dn_blas_load(Int32(threads)) else { return nil }
    let side = 1024
    let a = Tensor([side, side], repeating: 0.5)
    let best =
        (0..<5).map { _ in
            let start = ContinuousClock.now
            _ = try? parallelMap(threads, threads: threads) { _ in
                Tensor([side, side]) { c in
                    a.withPointer {
                        dn_sgemm(false, false, side, side, side, 1, $0, side, $0, side, 0, c, side)
                    }
                }.count
            }
            return (ContinuousClock.now - start) / .seconds(1)
        }.min() ?? 1
    return (2 * Double(side * side * side) * Double(threads) / best / 1e9, String(cString: dn_blas_name()))
}
