/// A 3×3 matrix of colour conversion.
struct Matrix3: Sendable {
    private let values: [Float]

    /// - Precondition: nine values, row by row.
    init(_ values: [Float]) { self.values = values }

    /// Row `index` times a column vector.
    func row(_ index: Int, _ x: Float, _ y: Float, _ z: Float) -> Float {
        values[3 * index] * x + values[3 * index + 1] * y + values[3 * index + 2] * z
    }

    /// The inverse; of a singular matrix, the identity.
    var inverse: Matrix3 {
        func cofactor(_ row: Int, _ column: Int) -> Float {
            let (a, b) = ((row + 1) % 3, (row + 2) % 3)
            let (c, d) = ((column + 1) % 3, (column + 2) % 3)
            return values[3 * a + c] * values[3 * b + d] - values[3 * a + d] * values[3 * b + c]
        }
        let determinant = (0..<3).reduce(0) { $0 + values[$1] * cofactor(0, $1) }
        guard abs(determinant) > 1e-6 else { return Matrix3([1, 0, 0, 0, 1, 0, 0, 0, 1]) }
        return Matrix3((0..<9).map { cofactor($0 % 3, $0 / 3) / determinant })
    }
}
