import Imaging

/// How much of the picture went away with the noise.
enum ResidualStructure {
    /// Magnitude of the correlation, 0…1, between what was removed and the Laplacian of what remains, in luma: noise is
    /// indifferent to edges and lines, while blurring takes away a share of the Laplacian. Nil without any difference.
    ///
    /// - Parameters:
    ///   - noisy, denoised: the same blocks of one photograph, side by side in one image.
    ///   - side: of the blocks; pixels at their borders are left out.
    static func measure(noisy: PlanarImage, denoised: PlanarImage, side: Int = 32) -> Double? {
        let (before, after) = (noisy.luma, denoised.luma)
        let width = noisy.width
        var (cross, residuals, laplacians) = (0.0, 0.0, 0.0)
        for row in 1..<max(1, noisy.height - 1) where (1..<side - 1).contains(row % side) {
            for column in 1..<max(1, width - 1) where (1..<side - 1).contains(column % side) {
                let p = row * width + column
                let residual = Double(before[p] - after[p])
                let laplacian = Double(after[p - 1] + after[p + 1] + after[p - width] + after[p + width] - 4 * after[p])
                cross += residual * laplacian
                residuals += residual * residual
                laplacians += laplacian * laplacian
            }
        }
        guard residuals > 0, laplacians > 0 else { return nil }
        return abs(cross) / (residuals * laplacians).squareRoot()
    }
}

extension PlanarImage {
    /// 0.299 red + 0.587 green + 0.114 blue; grey as it is.
    var luma: [Float] {
        if channels == 1 { return samples }
        let plane = width * height
        return (0..<plane).map { 0.299 * samples[$0] + 0.587 * samples[plane + $0] + 0.114 * samples[2 * plane + $0] }
    }
}
