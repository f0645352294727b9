/// Σ (o − t)²·m over all channels, times `scale`, and its gradient 2·scale·(o − t)·m. Source: spec E, "MSE mean".
///
/// - Parameters:
///   - output, target: [C, batch, height, width].
///   - mask: [1, batch, height, width]; nil for ones.
public func squaredError(
    _ output: Tensor, _ target: Tensor, mask: Tensor? = nil, scale: Float
) -> (value: Double, gradient: Tensor) {
    precondition(output.shape == target.shape, "cannot compare \(output.shape) with \(target.shape)")
    let pixels = output.pixels
    var sum = 0.0
    let gradient = Tensor(output.shape) { gradient in
        withPointers(output, target, mask ?? Tensor([pixels], repeating: 1)) { o, t, m in
            for c in 0..<output.channels {
                for start in stride(from: 0, to: pixels, by: 1024) {
                    // Short sums in single precision round less than their terms.
                    var part: Float = 0
                    for p in start..<min(start + 1024, pixels) {
                        let difference = (o[c * pixels + p] - t[c * pixels + p]) * m[p]
                        part += difference * difference
                        gradient[c * pixels + p] = 2 * scale * difference
                    }
                    sum += Double(part)
                }
            }
        }
    }
    return (sum * Double(scale), gradient)
}
