import CKernels

#if canImport(Glibc)
    import Glibc
#endif

/// The four parameters of a squeeze-and-excitation gate on C channels.
public struct SqueezeExciteWeights {
    /// [C/2, C, 1, 1] and [C/2].
    public let reduce: (weight: Variable, bias: Variable)
    /// [C, C/2, 1, 1] and [C].
    public let expand: (weight: Variable, bias: Variable)

    public init(reduce: (weight: Variable, bias: Variable), expand: (weight: Variable, bias: Variable)) {
        self.reduce = reduce
        self.expand = expand
    }
}

/// Squeeze and excitation: t ⊙ σ(W2·relu(W1·mean(t) + b1) + b2), the mean over each image's pixels.
///
/// - Parameter t: [C, batch, height, width].
/// - Returns: the shape of `t`. Source: spec B.2 and E, "SE".
public func squeezeExcite(_ t: Variable, _ weights: SqueezeExciteWeights) -> Variable {
    let (gate, y) = timed {
        let gate = SqueezeExcite(t.tensor, weights)
        return (gate, gate.scaled(t.tensor))
    }
    let parameters = [weights.reduce.weight, weights.reduce.bias, weights.expand.weight, weights.expand.bias]
    return recorded(y, from: [t] + parameters) { g, gradients in
        gate.backward(g, t, weights, gradients)
    }
}

/// The small vectors of one gate, all [features][batch].
struct SqueezeExcite {
    let batch: Int
    let means: [Float]
    let hidden: [Float]
    let gates: [Float]

    init(_ t: Tensor, _ weights: SqueezeExciteWeights) {
        self.init(means: planeMeans(t), batch: t.batch, weights)
    }

    init(means: [Float], batch: Int, _ weights: SqueezeExciteWeights) {
        self.batch = batch
        self.means = means
        hidden = affine(weights.reduce.weight.tensor, weights.reduce.bias.tensor, means, batch).map { max($0, 0) }
        gates = affine(weights.expand.weight.tensor, weights.expand.bias.tensor, hidden, batch).map {
            1 / (1 + expf(-$0))
        }
    }

    /// t ⊙ e.
    func scaled(_ t: Tensor) -> Tensor {
        let area = t.height * t.width
        return Tensor(t.shape) { y in
            t.withPointer { t in
                for plane in 0..<gates.count {
                    kernels.scale_offset(t + plane * area, gates[plane], 0, y + plane * area, area)
                }
            }
        }
    }

    /// de = Σ_p g t; dz = de·e(1−e); back through W2, relu and W1 to dm; dt = g e + dm/area.
    func backward(_ g: Tensor, _ t: Variable, _ weights: SqueezeExciteWeights, _ gradients: Gradients) {
        let area = g.height * g.width
        let dz = g.withPointer { g in
            t.tensor.withPointer { t in
                gates.indices.map { kernels.dot(g + $0 * area, t + $0 * area, area) * gates[$0] * (1 - gates[$0]) }
            }
        }
        var dh = affineBackward(weights.expand, inputs: hidden, outputs: dz, batch, gradients)
        for index in dh.indices where hidden[index] <= 0 { dh[index] = 0 }
        let dm = affineBackward(weights.reduce, inputs: means, outputs: dh, batch, gradients)
        let dt = Tensor(g.shape) { dt in
            g.withPointer { g in
                for plane in gates.indices {
                    kernels.scale_offset(
                        g + plane * area, gates[plane], dm[plane] / Float(area), dt + plane * area, area)
                }
            }
        }
        gradients.add(dt, to: t)
    }
}

/// The mean of each plane, [channels][batch].
func planeMeans(_ t: Tensor) -> [Float] {
    let area = t.height * t.width
    return t.withPointer { t_ in
        (0..<t.channels * t.batch).map { kernels.sum(t_ + $0 * area, area) / Float(area) }
    }
}

/// W·x + b for x [inputs][batch].
func affine(_ weight: Tensor, _ bias: Tensor, _ x: [Float], _ batch: Int) -> [Float] {
    let (outputs, inputs) = (weight.shape[0], weight.shape[1])
    return withPointers(weight, bias) { weight, bias in
        let columns = (0..<batch).map { column in (0..<inputs).map { x[$0 * batch + column] } }
        return (0..<outputs * batch).map { index in
            bias[index / batch] + kernels.dot(weight + index / batch * inputs, columns[index % batch], inputs)
        }
    }
}

/// Adds to the gradients of weight and bias; returns Wᵀ·outputs.
func affineBackward(
    _ layer: (weight: Variable, bias: Variable), inputs x: [Float], outputs g: [Float], _ batch: Int,
    _ gradients: Gradients
) -> [Float] {
    let (rows, columns) = (layer.weight.tensor.shape[0], layer.weight.tensor.shape[1])
    return x.withUnsafeBufferPointer { x in
        g.withUnsafeBufferPointer { g in
            guard let x = x.baseAddress, let g = g.baseAddress else { return [] }
            gradients.accumulate(layer.weight) { dw, adding in
                product(
                    MatrixView(g, row: batch), MatrixView(x, row: batch).transposed,
                    into: dw, row: columns, rows: rows, columns: columns, depth: batch, adding: adding)
            }
            sumRows(g, rows: rows, columns: batch, into: layer.bias, gradients)
            return [Float](unsafeUninitializedCapacity: columns * batch) { dx, count in
                count = columns * batch
                guard let dx = dx.baseAddress else { return }
                layer.weight.tensor.withPointer {
                    product(
                        MatrixView($0, row: columns).transposed, MatrixView(g, row: batch),
                        into: dx, row: batch, rows: columns, columns: batch, depth: rows, adding: false)
                }
            }
        }
    }
}
