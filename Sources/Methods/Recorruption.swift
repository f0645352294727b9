import Tensors

/// Recorrupted-to-Recorrupted (Pang, Zheng, Quan and Ji, CVPR 2021): a noisy image y and fresh noise z of the same
/// distribution make an input y + αz and a target y − z/α whose errors are independent, so that the squared error
/// between them leads where the clean image would lead.
///
/// Both signs of z are taken: what z/α adds to the gradient cancels, and Stein's divergence is left (`RiskEstimate`).
struct Recorruption {
    let input: Tensor
    let target: Tensor

    /// The noise of the input is √(1 + α²) times as strong.
    static let alpha: Float = 0.5

    /// For `squaredLoss`: what errors are measured in, as large as those of the target but for z.
    static func scale(of noise: Tensor) -> Float {
        let square = noise.values.reduce(0) { $0 + $1 * $1 } / Float(max(noise.count, 1))
        return max(2 * square.squareRoot(), 1e-3)
    }

    /// Both signs.
    static func both(of noisy: Tensor, _ noise: Tensor) -> [Recorruption] {
        [alpha, -alpha].map { alpha in
            let (noisy, noise, shape) = (noisy.values, noise.values, noisy.shape)
            return Recorruption(
                input: Tensor(shape, zip(noisy, noise).map { $0 + alpha * $1 }),
                target: Tensor(shape, zip(noisy, noise).map { $0 - $1 / alpha }))
        }
    }
}
