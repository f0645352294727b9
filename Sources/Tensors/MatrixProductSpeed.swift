/// What single-precision matrix products reach on this machine, in GFLOP/s: each thread multiplies 1024×1024 matrices
/// of its own. The best of five rounds, since this is the ceiling that networks are compared with.
public func matrixProductSpeed(threads: Int) -> Double {
    let side = 1024
    let a = Tensor([side, side], repeating: 0.5)
    let best =
        (0..<5).map { _ in
            let start = ContinuousClock.now
            _ = try? parallelMap(threads, threads: threads) { _ in
                Tensor([side, side]) { c in
                    a.withPointer {
                        let view = MatrixView($0, row: side)
                        product(view, view, into: c, row: side, rows: side, columns: side, depth: side, adding: false)
                    }
                }.count
            }
            return (ContinuousClock.now - start) / .seconds(1)
        }.min() ?? 1
    return 2 * Double(side * side * side) * Double(threads) / best / 1e9
}
