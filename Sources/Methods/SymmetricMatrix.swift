import Tensors

#if canImport(Glibc)
    import Glibc
#endif

/// A symmetric 3×3 matrix: the covariance of the channels of a pixel.
struct SymmetricMatrix {
    /// Its upper triangle.
    private var xx, xy, xz, yy, yz, zz: Double

    static let zero = SymmetricMatrix(xx: 0, xy: 0, xz: 0, yy: 0, yz: 0, zz: 0)
    static let identity = SymmetricMatrix(xx: 1, xy: 0, xz: 0, yy: 1, yz: 0, zz: 1)

    private init(xx: Double, xy: Double, xz: Double, yy: Double, yz: Double, zz: Double) {
        (self.xx, self.xy, self.xz, self.yy, self.yz, self.zz) = (xx, xy, xz, yy, yz, zz)
    }

    var diagonal: SIMD3<Double> { SIMD3(xx, yy, zz) }

    /// Square roots of the diagonal.
    var deviations: [Double] { [xx, yy, zz].map { $0.squareRoot() } }

    /// The upper triangle U with U·Uᵀ = the matrix, by its rows; the matrix is positive semidefinite.
    var upperFactor: [Double] {
        func root(_ square: Double) -> Double { max(square, 1e-12).squareRoot() }
        let f = root(zz), e = yz / f, c = xz / f
        let d = root(yy - e * e), b = (xy - c * e) / d
        return [root(xx - b * b - c * c), b, c, d, e, f]
    }

    /// Mean over the pixels of x·xᵀ.
    ///
    /// - Parameter x: [3, batch, height, width].
    init(meanSquareOf x: Tensor) {
        let rows = NoiseVariance.rows(x)
        let sum = (0..<x.pixels).reduce(Self.zero) { sum, p in
            sum + Self(squaring: SIMD3(Double(rows[0][p]), Double(rows[1][p]), Double(rows[2][p])))
        }
        self = (1 / Double(x.pixels)) * sum
    }

    /// An upper triangle U by its rows, 00, 01, 02, 11, 12, 22.
    struct Triangle {
        var values: SIMD8<Double>

        /// - Parameter p: index of a pixel in each of six planes.
        init(_ p: Int, of planes: [[Float]]) {
            values = .zero
            for k in 0..<6 { values[k] = Double(planes[k][p]) }
        }
    }

    /// U·Uᵀ (spec C.2).
    init(squaring triangle: Triangle) {
        let u = triangle.values
        self.init(
            xx: u[0] * u[0] + u[1] * u[1] + u[2] * u[2], xy: u[1] * u[3] + u[2] * u[4], xz: u[2] * u[5],
            yy: u[3] * u[3] + u[4] * u[4], yz: u[4] * u[5], zz: u[5] * u[5])
    }

    /// x·xᵀ.
    init(squaring x: SIMD3<Double>) {
        self.init(xx: x.x * x.x, xy: x.x * x.y, xz: x.x * x.z, yy: x.y * x.y, yz: x.y * x.z, zz: x.z * x.z)
    }

    static func + (a: Self, b: Self) -> Self {
        Self(
            xx: a.xx + b.xx, xy: a.xy + b.xy, xz: a.xz + b.xz, yy: a.yy + b.yy, yz: a.yz + b.yz, zz: a.zz + b.zz)
    }

    static func - (a: Self, b: Self) -> Self { a + (-1 * b) }

    static func * (s: Double, a: Self) -> Self {
        Self(xx: s * a.xx, xy: s * a.xy, xz: s * a.xz, yy: s * a.yy, yz: s * a.yz, zz: s * a.zz)
    }

    static func * (a: Self, x: SIMD3<Double>) -> SIMD3<Double> {
        let columns = a.columns
        return columns.0 * x.x + columns.1 * x.y + columns.2 * x.z
    }

    private var columns: (SIMD3<Double>, SIMD3<Double>, SIMD3<Double>) {
        (SIMD3(xx, xy, xz), SIMD3(xy, yy, yz), SIMD3(xz, yz, zz))
    }

    /// a·b·a.
    static func sandwich(_ a: Self, _ b: Self) -> Self {
        let (x, y, z) = a.columns
        let (bx, by, bz) = (b * x, b * y, b * z)
        func dot(_ u: SIMD3<Double>, _ v: SIMD3<Double>) -> Double { (u * v).sum() }
        return Self(
            xx: dot(x, bx), xy: dot(x, by), xz: dot(x, bz), yy: dot(y, by), yz: dot(y, bz), zz: dot(z, bz))
    }

    /// Trace of a·b.
    static func innerProduct(_ a: Self, _ b: Self) -> Double {
        a.xx * b.xx + a.yy * b.yy + a.zz * b.zz + 2 * (a.xy * b.xy + a.xz * b.xz + a.yz * b.yz)
    }

    /// The logarithm of the determinant and the inverse of a positive definite matrix, both from Cholesky's factor
    /// (spec C.3 [R]).
    var factored: (logDeterminant: Double, inverse: Self) {
        // The factor [a; b, d; c, e, f] and its inverse [p; q, r; s, t, u].
        let a = xx.squareRoot(), b = xy / a, c = xz / a
        let d = (yy - b * b).squareRoot(), e = (yz - b * c) / d
        let f = (zz - c * c - e * e).squareRoot()
        let (p, r, u) = (1 / a, 1 / d, 1 / f)
        let q = -b * p * r, t = -e * r * u, s = -(c * p + e * q) * u
        let inverse = Self(
            xx: p * p + q * q + s * s, xy: q * r + s * t, xz: s * u, yy: r * r + t * t, yz: t * u, zz: u * u)
        return (2 * (log(a) + log(d) + log(f)), inverse)
    }

    /// The gradient of a function of U·Uᵀ with respect to U, this being that with respect to the matrix: the upper
    /// triangle of 2·G·U (spec E, "MAP 3×3").
    func gradient(of triangle: Triangle) -> SIMD8<Double> {
        let u = triangle.values
        // Columns of U: (u0), (u1, u3), (u2, u4, u5).
        return 2
            * SIMD8(
                xx * u[0], xx * u[1] + xy * u[3], xx * u[2] + xy * u[4] + xz * u[5], xy * u[1] + yy * u[3],
                xy * u[2] + yy * u[4] + yz * u[5], xz * u[2] + yz * u[4] + zz * u[5], 0, 0)
    }
}
