import Tensors

/// A loss and its gradient with respect to the network's output.
public struct Loss: Sendable {
    public let value: Double
    public let gradient: Tensor
}

/// L_m: the mean absolute error over the hidden entries (spec A.4).
///
/// - Parameters:
///   - output, target: [C, batch, height, width].
///   - hidden: [1, batch, height, width], 1 where the network did not see the pixel.
///   - entries: what the sum is divided by, C · hidden pixels of the whole batch.
public func maskedLoss(_ output: Tensor, _ target: Tensor, hidden: Tensor, entries: Int) -> Loss {
    let scale = 1 / Float(max(entries, 1))
    var sum = 0.0
    let gradient = Tensor(output.shape) { gradient in
        sum = absoluteError(output, target, hidden, scale: scale, gradient: gradient)
    }
    return Loss(value: sum / Double(max(entries, 1)), gradient: gradient)
}

/// L_t: mean |I − y| + λ·mean √(Δr² + Δc² + ε²), differences across the border omitted (spec A.5 [R]).
///
/// - Parameters:
///   - output, target: [C, batch, height, width], at full resolution.
///   - entries: what both sums are divided by, the elements of the whole batch.
public func transferLoss(
    _ output: Tensor, _ target: Tensor, entries: Int, smoothness λ: Float = 0.1, epsilon: Float = 1e-3
) -> Loss {
    let ones = Tensor([1] + output.shape[1...], repeating: 1)
    let fit = maskedLoss(output, target, hidden: ones, entries: entries)
    var gradient = fit.gradient
    let variation = addTotalVariation(
        of: output, scale: λ / Float(entries), epsilon: epsilon, gradient: &gradient)
    return Loss(value: fit.value + variation, gradient: gradient)
}
