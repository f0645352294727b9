import CKernels

/// The parameters of a block of NAFNetBase on C channels.
public struct NAFBlockWeights {
    /// A weight and its bias.
    public typealias Layer = (weight: Variable, bias: Variable)

    /// [C] each.
    public let norm1, norm2: Layer
    /// [C, C, 1, 1]; [C, 1, 3, 3]; [C, C, 1, 1]; biases [C].
    public let conv1, conv2, conv3: Layer
    public let gate: SqueezeExciteWeights
    /// [2C, C, 1, 1] and [C, 2C, 1, 1].
    public let conv4, conv5: Layer
    /// [1, C, 1, 1].
    public let beta, gamma: Variable

    public init(
        norm1: Layer, conv1: Layer, conv2: Layer, gate: SqueezeExciteWeights, conv3: Layer, beta: Variable,
        norm2: Layer, conv4: Layer, conv5: Layer, gamma: Variable
    ) {
        (self.norm1, self.conv1, self.conv2, self.gate, self.conv3) = (norm1, conv1, conv2, gate, conv3)
        (self.beta, self.norm2, self.conv4, self.conv5, self.gamma) = (beta, norm2, conv4, conv5, gamma)
    }
}

/// y = x + β⊙conv3(SE(gelu(conv2(conv1(norm1(x)))))); the result is y + γ⊙conv5(gelu(conv4(norm2(y)))).
///
/// Without a tape it is computed in two sweeps of bands, before and after the mean that the gate needs; with one, in
/// single operations.
/// - Parameter x: [C, batch, height, width].
/// - Returns: the shape of `x`. Source: spec B.2.
public func nafBlock(_ x: Variable, _ weights: NAFBlockWeights) -> Variable {
    if x.wantsGradient || weights.beta.wantsGradient || x.tensor.width < DepthwiseBands.leastWidth {
        return NAFBlock.graph(x, weights)
    }
    return Variable(timed { NAFBlock.banded(x.tensor, weights) })
}

private enum NAFBlock {
    static func graph(_ x: Variable, _ w: NAFBlockWeights) -> Variable {
        let normal = affineNorm(x, weight: w.norm1.weight, bias: w.norm1.bias)
        let first = pointwise(normal, weight: w.conv1.weight, bias: w.conv1.bias)
        let gated = squeezeExcite(gelu(depthwise3x3(first, weight: w.conv2.weight, bias: w.conv2.bias)), w.gate)
        let third = pointwise(gated, weight: w.conv3.weight, bias: w.conv3.bias)
        let y = scaledResidual(x, third, scale: w.beta)
        let again = affineNorm(y, weight: w.norm2.weight, bias: w.norm2.bias)
        let fourth = gelu(pointwise(again, weight: w.conv4.weight, bias: w.conv4.bias))
        return scaledResidual(y, pointwise(fourth, weight: w.conv5.weight, bias: w.conv5.bias), scale: w.gamma)
    }

    static func banded(_ x: Tensor, _ w: NAFBlockWeights) -> Tensor {
        var sums = [Float](repeating: 0, count: x.channels * x.batch)
        let t = Tensor(x.shape) { firstSweep(x, w, into: $0, sums: &sums) }
        let area = Float(x.height * x.width)
        let gates = SqueezeExcite(means: sums.map { $0 / area }, batch: x.batch, w.gate).gates
        return Tensor(x.shape) { secondSweep(x, t, gates, w, into: $0) }
    }

    /// t = gelu(conv2(conv1(norm1(x)))) and the sums of its planes.
    private static func firstSweep(
        _ x: Tensor, _ w: NAFBlockWeights, into t: UnsafeMutablePointer<Float>, sums: inout [Float]
    ) {
        for range in DepthwiseBands.groups(of: x.channels, channelsOfEach: 1, width: x.width) {
            let bands = DepthwiseBands(
                mixing: ChannelMixing(w.conv1.weight.tensor, rows: [range], bias: w.conv1.bias.tensor),
                taps: w.conv2.weight.tensor.rows([range]), bias: w.conv2.bias.tensor.rows([range]),
                normalise: affineNormalisation(w.norm1))
            for image in 0..<x.batch {
                bands.forEachBand(of: x, image: image) { band in
                    for channel in range {
                        let row = band.values + (channel - range.lowerBound) * band.pixels
                        let plane = t + channel * x.pixels
                        let ahead = channel + 1 < range.upperBound ? x.pixels : 0
                        band.forEachRun { offset, start, pixels in
                            sums[channel * x.batch + image] += kernels.gelu_sum(
                                row + offset, plane + start, pixels, ahead)
                        }
                    }
                }
            }
        }
    }

    /// Everything behind the gate needs one pixel at a time; gate, β and γ are factors of the weights.
    private static func secondSweep(
        _ x: Tensor, _ t: Tensor, _ gates: [Float], _ w: NAFBlockWeights, into y: UnsafeMutablePointer<Float>
    ) {
        let (channels, area, batch) = (x.channels, x.height * x.width, x.batch)
        let expand = ChannelMixing(w.conv4.weight.tensor, bias: w.conv4.bias.tensor)
        let contract = scaledMixing(w.conv5, by: w.gamma)
        let band = min(256, area)
        let panels = Storage(count: packedPixels(2 * channels, band))
        let middle = Storage(count: 3 * channels * band)
        defer { withExtendedLifetime((panels, middle)) {} }
        for image in 0..<batch {
            let gate = (0..<channels).map { gates[$0 * batch + image] }
            let third = scaledMixing(w.conv3, by: w.beta, gate)
            for first in stride(from: 0, to: area, by: band) {
                let count = min(band, area - first)
                let (at, sum, hidden) = (image * area + first, middle.pointer, middle.pointer + channels * band)
                t.withPointer {
                    kernels.pack_pixels(
                        $0 + at, x.pixels, channels, count, first + band < area ? band : 0, panels.pointer)
                }
                x.withPointer {
                    third.run(
                        packed: panels.pointer, pixels: count, adding: $0 + at, baseStride: x.pixels, into: sum,
                        stride: band)
                }
                kernels.pack_pixels(sum, band, channels, count, 0, panels.pointer)
                affineNormalisation(w.norm2)(panels.pointer, count)
                expand.run(packed: panels.pointer, pixels: count, into: hidden, stride: band)
                kernels.gelu_packed(hidden, band, 2 * channels, count, panels.pointer)
                contract.run(
                    packed: panels.pointer, pixels: count, adding: sum, baseStride: band, into: y + at,
                    stride: x.pixels)
            }
        }
    }

    /// scale ⊙ (W·(gate ⊙ x) + b).
    private static func scaledMixing(
        _ layer: NAFBlockWeights.Layer, by scale: Variable, _ gate: [Float]? = nil
    ) -> ChannelMixing {
        let (outputs, inputs) = (layer.weight.tensor.shape[0], layer.weight.tensor.shape[1])
        return withPointers(layer.weight.tensor, layer.bias.tensor, scale.tensor) { weight, bias, scale in
            func mixing(_ gate: UnsafePointer<Float>?) -> ChannelMixing {
                ChannelMixing(
                    outputs: outputs, inputs: inputs, weights: MatrixView(weight, row: inputs), bias: bias,
                    rowScale: scale, columnScale: gate)
            }
            guard let gate else { return mixing(nil) }
            return gate.withUnsafeBufferPointer { mixing($0.baseAddress) }
        }
    }
}

/// LayerNorm2d of packed pixels.
private func affineNormalisation(_ layer: NAFBlockWeights.Layer) -> DepthwiseBands.Normalisation {
    let (weight, bias) = (layer.weight.tensor, layer.bias.tensor)
    return { panels, pixels in
        weight.withPointer { w in
            bias.withPointer { kernels.norm_affine_packed(panels, weight.count, pixels, w, $0, 1e-6) }
        }
    }
}
