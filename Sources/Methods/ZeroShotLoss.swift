import Networks
import Tensors

/// A part's share of a loss, and of its gradients.
struct ZeroShotResult: Sendable {
    let residual: Double
    let consistency: Double
    let gradients: [String: Tensor]

    var loss: Double { residual + consistency }
}

/// ZS-N2N's losses: each view of half size, denoised, must equal the other view (residual) and the same view of the
/// denoised whole (consistency). Gradients flow through both sides of the latter. Source: spec D.1.
///
/// Errors are squared, as published. On sub-images they are absolute, as in D.4 (b): pixels that lie `stride` apart
/// show other detail, and squares of that leave no weight to flat areas, where the noise is what can be learned.
///
/// - Parameters:
///   - noisy: what `crop` sees, [C, 1, rows, columns].
///   - network: h(z) = z − f(z).
///   - entries: what the sums are divided by: the elements of both views of all parts together, in all sub-images.
func zeroShotLoss(
    of noisy: Tensor, _ crop: ZeroShotCrops.Crop, stride: Int, _ network: any Network, _ weights: Weights, entries: Int
) -> ZeroShotResult {
    let tape = Tape()
    let pass = Pass(weights, on: tape)
    let subImages = pixelDownsample(Variable(noisy), stride: stride)
    let views = pairDownsampled(subImages)
    let targets = pairDownsampled(subImages, exchanged: true).tensor
    let denoisedViews = network(views, pass)
    let viewsOfDenoised = pairDownsampled(network(subImages, pass))

    let mask = crop.mask(views: views.tensor.batch, unit: 2 * stride)
    func error(_ output: Variable, _ target: Tensor) -> (value: Double, gradient: Tensor) {
        guard stride > 1 else { return squaredError(output.tensor, target, mask: mask, scale: 1 / Float(entries)) }
        let absolute = maskedLoss(output.tensor, target, hidden: mask, entries: entries)
        return (absolute.value, absolute.gradient)
    }
    let residual = error(denoisedViews, targets)
    let consistency = error(denoisedViews, viewsOfDenoised.tensor)
    var gradient = residual.gradient
    accumulate(consistency.gradient, into: &gradient)
    let found = tape.backward(from: [
        (denoisedViews, gradient), (viewsOfDenoised, error(viewsOfDenoised, denoisedViews.tensor).gradient),
    ])
    return ZeroShotResult(
        residual: residual.value, consistency: consistency.value, gradients: pass.gradients(found))
}

extension ZeroShotCrops.Crop {
    /// [1, views, rows, columns] of what is seen, in blocks of `unit` pixels: 1 where the loss counts.
    fileprivate func mask(views: Int, unit: Int) -> Tensor {
        let (height, width) = (seen.rows.count / unit, seen.columns.count / unit)
        let top = (rows.lowerBound - seen.rows.lowerBound) / unit
        let left = (columns.lowerBound - seen.columns.lowerBound) / unit
        return Tensor(
            [1, views, height, width],
            (0..<views * height * width).map { index in
                let (row, column) = (index / width % height - top, index % width - left)
                return row >= 0 && row < rows.count / unit && column >= 0 && column < columns.count / unit ? 1 : 0
            })
    }
}
