import CKernels

/// Σ |o − t|·m over all channels; writes scale·sign(o − t)·m, with sign(0) = 0.
///
/// - Parameters:
///   - output, target: [C, batch, height, width].
///   - mask: [1, batch, height, width].
public func absoluteError(
    _ output: Tensor, _ target: Tensor, _ mask: Tensor, scale: Float, gradient: UnsafeMutablePointer<Float>
) -> Double {
    let pixels = output.pixels
    return withPointers(output, target, mask) { o, t, m in
        (0..<output.channels).reduce(0) { sum, c in
            let offset = c * pixels
            return sum + kernels.masked_l1(o + offset, t + offset, m, scale, gradient + offset, pixels)
        }
    }
}

/// Isotropic total variation with forward differences, Σ √(Δr² + Δc² + ε²), times `scale`; its gradient is added.
/// Differences that would cross the border are taken as 0. Source: spec A.5 and E, "TV".
///
/// - Parameter image: [C, batch, height, width].
/// - Returns: scale · the sum.
public func addTotalVariation(of image: Tensor, scale: Float, epsilon: Float, gradient: inout Tensor) -> Double {
    let (height, width) = (image.height, image.width)
    var sum = 0.0
    gradient.withMutablePointer { gradient in
        image.withPointer { image_ in
            for row in 0..<image.channels * image.batch * height {
                let hasBelow = row % height < height - 1
                let (x, g) = (image_ + row * width, gradient + row * width)
                var rowSum: Float = 0
                for column in 0..<width {
                    let down = hasBelow ? x[column + width] - x[column] : 0
                    let right = column < width - 1 ? x[column + 1] - x[column] : 0
                    let root = (down * down + right * right + epsilon * epsilon).squareRoot()
                    rowSum += root
                    g[column] -= scale * (down + right) / root
                    if hasBelow { g[column + width] += scale * down / root }
                    if column < width - 1 { g[column + 1] += scale * right / root }
                }
                sum += Double(rowSum)
            }
        }
    }
    return sum * Double(scale)
}
