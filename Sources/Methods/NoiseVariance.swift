import Networks
import Tensors

#if canImport(Glibc)
    import Glibc
#endif

/// What D-BSN's heads mean: variances, or covariances of the channels, of the noise and of the mean (spec C.2).
///
/// The noise of AWGN and multivariate kind is the mean over the image. Unlike the authors' code, the mean's own
/// uncertainty is never averaged: with both averaged, only their sum could be learned.
struct NoiseVariance {
    /// Below it nothing is divided by (spec E, pitfall 8).
    static let least = 1e-6
    /// The authors' offset of the noise head, and what standard deviations begin at.
    private static let offset = -4.0, leastDeviation = 1e-3

    /// ln(1 + eᶻ) about the offset.
    static func deviation(_ z: Double) -> Double {
        let shifted = z + offset
        return (shifted > 30 ? shifted : log1p(exp(shifted))) + leastDeviation
    }

    /// What a head says for a standard deviation: the inverse of `deviation`.
    static func raw(_ deviation: Double) -> Double { log(expm1(max(deviation - leastDeviation, 1e-6))) - offset }

    /// The slope of `deviation`.
    static func slope(_ z: Double) -> Double { 1 / (1 + exp(-(z + offset))) }

    /// Standard deviations of the noise that a head's output means, of each channel: the value for AWGN, the root mean
    /// square over the pixels for other kinds.
    static func deviations(_ raw: Tensor, _ noise: BayesianDBSN.Noise) -> [Double] {
        switch noise {
        case .awgn: means(raw).map(deviation)
        case .heteroscedastic:
            rows(raw).map { row in
                (row.reduce(0) { $0 + deviation(Double($1)) * deviation(Double($1)) } / Double(row.count)).squareRoot()
            }
        case .multivariate: (0..<3).map { covariance(raw).diagonal[$0].squareRoot() }
        }
    }

    /// Mean of each channel over all pixels.
    static func means(_ raw: Tensor) -> [Double] {
        rows(raw).map { row in row.reduce(0) { $0 + Double($1) } / Double(row.count) }
    }

    /// Mean of U·Uᵀ over all pixels, of six channels.
    static func covariance(_ raw: Tensor) -> SymmetricMatrix {
        let rows = rows(raw)
        let sum = (0..<raw.pixels).reduce(SymmetricMatrix.zero) { $0 + SymmetricMatrix(squaring: .init($1, of: rows)) }
        return (1 / Double(raw.pixels)) * sum
    }

    /// The channels apart.
    static func rows(_ tensor: Tensor) -> [[Float]] {
        let values = tensor.values
        return (0..<tensor.channels).map { Array(values[$0 * tensor.pixels..<($0 + 1) * tensor.pixels]) }
    }
}
