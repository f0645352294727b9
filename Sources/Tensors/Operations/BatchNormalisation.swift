import CKernels

/// What a batch's pixels were normalised with, for running statistics.
public struct BatchMoments: Sendable {
    /// [C].
    public let mean: Tensor
    /// [C], with m − 1 in the denominator for m pixels, as PyTorch's running variance wants it.
    public let unbiasedVariance: Tensor
}

/// Batch normalisation with the batch's own moments: y = w·(x−μ)/√(var + ε) + b, μ and the population variance over all
/// pixels of all images of one channel.
///
/// - Parameters:
///   - x: [C, batch, height, width].
///   - weight, bias: [C].
/// - Returns: the shape of `x`, and the moments. Source: spec B.4 and E, "BN (train)".
public func batchNorm(
    _ x: Variable, weight: Variable, bias: Variable, epsilon: Float
) -> (output: Variable, moments: BatchMoments) {
    let norm = BatchNorm(x.tensor, epsilon: epsilon)
    let output = recorded(norm.forward(weight.tensor, bias.tensor), from: [x, weight, bias]) { g, gradients in
        norm.backward(g, x, weight, bias, gradients)
    }
    return (output, norm.moments)
}

private struct BatchNorm {
    /// x̂ = (x − μ)/S.
    let normalised: Tensor
    /// S of each channel.
    let deviations: [Float]
    let moments: BatchMoments

    init(_ x: Tensor, epsilon: Float) {
        let (channels, pixels) = (x.channels, x.pixels)
        var means = [Float](repeating: 0, count: channels)
        var variances = means
        normalised = Tensor(x.shape) { target in
            x.withPointer { source in
                for c in 0..<channels {
                    let (from, to) = (source + c * pixels, target + c * pixels)
                    means[c] = Float(blockwise(pixels) { Double(kernels.sum(from + $0, $1)) } / Double(pixels))
                    kernels.scale_offset(from, 1, -means[c], to, pixels)
                    variances[c] = Float(blockwise(pixels) { Double(kernels.dot(to + $0, to + $0, $1)) })
                    variances[c] /= Float(pixels)
                    kernels.scale_offset(to, 1 / (variances[c] + epsilon).squareRoot(), 0, to, pixels)
                }
            }
        }
        deviations = variances.map { ($0 + epsilon).squareRoot() }
        let correction = Float(pixels) / Float(max(pixels - 1, 1))
        moments = BatchMoments(
            mean: Tensor([channels], means), unbiasedVariance: Tensor([channels], variances.map { $0 * correction }))
    }

    func forward(_ weight: Tensor, _ bias: Tensor) -> Tensor {
        let pixels = normalised.pixels
        return Tensor(normalised.shape) { y in
            withPointers(normalised, weight, bias) { x, w, b in
                for c in deviations.indices { kernels.scale_offset(x + c * pixels, w[c], b[c], y + c * pixels, pixels) }
            }
        }
    }

    /// dw = Σ g x̂; db = Σ g; dx = w/S·(g − mean(g) − x̂·mean(g x̂)).
    func backward(_ g: Tensor, _ x: Variable, _ weight: Variable, _ bias: Variable, _ gradients: Gradients) {
        let pixels = g.pixels
        var dw = Tensor(weight.tensor.shape), db = Tensor(bias.tensor.shape)
        let dx = Tensor(g.shape) { dx in
            dw.withMutablePointer { dw in
                db.withMutablePointer { db in
                    withPointers(g, normalised, weight.tensor) { g, x, w in
                        for c in deviations.indices {
                            let (gradient, unit, target) = (g + c * pixels, x + c * pixels, dx + c * pixels)
                            db[c] = Float(blockwise(pixels) { Double(kernels.sum(gradient + $0, $1)) })
                            dw[c] = Float(blockwise(pixels) { Double(kernels.dot(gradient + $0, unit + $0, $1)) })
                            let (scale, share) = (w[c] / deviations[c], -1 / Float(pixels))
                            kernels.scale_offset(gradient, scale, scale * share * db[c], target, pixels)
                            kernels.axpy(scale * share * dw[c], unit, target, pixels)
                        }
                    }
                }
            }
        }
        gradients.add(dx, to: x)
        gradients.add(dw, to: weight)
        gradients.add(db, to: bias)
    }
}

/// A sum over `count` values in blocks, the blocks' sums in double: a channel may have a quarter of a million pixels.
private func blockwise(_ count: Int, _ block: (_ start: Int, _ count: Int) -> Double) -> Double {
    stride(from: 0, to: count, by: 4096).reduce(0) { $0 + block($1, min(4096, count - $1)) }
}

/// A convolution and the normalisation behind it with fixed statistics as one convolution: W' = W·w/√(v + ε) and
/// b' = (b − μ)·w/√(v + ε) + β. Source: spec B.4.
///
/// - Parameters:
///   - weight: [Cout, Cin, k, k].
///   - bias, mean, variance, scale, offset: [Cout].
public func foldingBatchNorm(
    intoWeight weight: Tensor, bias: Tensor, mean: Tensor, variance: Tensor, scale: Tensor, offset: Tensor,
    epsilon: Float
) -> (weight: Tensor, bias: Tensor) {
    let factors = zip(scale.values, variance.values).map { $0 / ($1 + epsilon).squareRoot() }
    let row = weight.count / factors.count
    let folded = Tensor(weight.shape) { target in
        weight.withPointer { source in
            for c in factors.indices { kernels.scale_offset(source + c * row, factors[c], 0, target + c * row, row) }
        }
    }
    let (biases, means, offsets) = (bias.values, mean.values, offset.values)
    return (folded, Tensor(bias.shape, factors.indices.map { (biases[$0] - means[$0]) * factors[$0] + offsets[$0] }))
}
