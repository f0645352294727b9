import CKernels

/// The parameters of Restormer's gated feed-forward block on C channels with h hidden pairs.
public struct GatedFeedForwardWeights {
    /// [C].
    public let norm: Variable
    /// [2h, C, 1, 1].
    public let expand: Variable
    /// [2h, 1, 3, 3].
    public let depthwise: Variable
    /// [C, h, 1, 1].
    public let contract: Variable

    public init(norm: Variable, expand: Variable, depthwise: Variable, contract: Variable) {
        self.norm = norm
        self.expand = expand
        self.depthwise = depthwise
        self.contract = contract
    }
}

/// x + W2·(gelu(a)⊙b) with [a; b] = depthwise3x3(W1·norm(x)) and the norm without bias.
///
/// Computed in bands; trained in single operations, or by recomputation where that would keep too much.
/// - Parameter x: [C, batch, height, width].
/// - Returns: the shape of `x`. Source: spec B.1, GDFN.
public func gatedFeedForward(_ x: Variable, _ weights: GatedFeedForwardWeights) -> Variable {
    let inputs = [x, weights.norm, weights.expand, weights.depthwise, weights.contract]
    if x.wantsGradient, x.tensor.pixels <= mostPixelsKept { return GatedFeedForward.graph(inputs) }
    let y = timed {
        if x.tensor.width < DepthwiseBands.leastWidth {
            return computed(inputs.map(\.tensor), GatedFeedForward.graph)
        }
        return GatedFeedForward.banded(inputs.map(\.tensor))
    }
    return recomputed(y, from: inputs, GatedFeedForward.graph)
}

private enum GatedFeedForward {
    static func graph(_ v: [Variable]) -> Variable {
        let hidden = pointwise(biasFreeNorm(v[0], weight: v[1]), weight: v[2])
        return pointwise(gatedDepthwise3x3(hidden, weight: v[3]), weight: v[4], addingTo: v[0])
    }

    static func banded(_ v: [Tensor]) -> Tensor {
        let (x, norm, expand, depthwise, contract) = (v[0], v[1], v[2], v[3], v[4])
        let hidden = expand.shape[0] / 2
        return Tensor(x.shape) { y in
            for pairs in DepthwiseBands.groups(of: hidden, channelsOfEach: 2, width: x.width) {
                let rows = [pairs, hidden + pairs.lowerBound..<hidden + pairs.upperBound]
                let bands = DepthwiseBands(
                    mixing: ChannelMixing(expand, rows: rows), taps: depthwise.rows(rows), bias: nil,
                    normalise: biasFreeNormalisation(norm))
                accumulate(
                    bands, ChannelMixing(contract, columns: pairs), x, into: y, isFirst: pairs.lowerBound == 0)
            }
        }
    }

    /// y = (x or y) + contraction of the gated pairs.
    private static func accumulate(
        _ bands: DepthwiseBands, _ contraction: ChannelMixing, _ x: Tensor, into y: UnsafeMutablePointer<Float>,
        isFirst: Bool
    ) {
        x.withPointer { x_ in
            for image in 0..<x.batch {
                bands.forEachBand(of: x, image: image) { band in
                    let pairs = contraction.inputs
                    let pack: DepthwiseBands.Packing = { values, pixels, panels in
                        kernels.gelu_gate_packed(
                            values, values + pairs * band.pixels, band.pixels, pairs, pixels, panels)
                    }
                    contraction.run(
                        band, packing: pack, adding: isFirst ? x_ : UnsafePointer(y), into: y, stride: x.pixels)
                }
            }
        }
    }
}

/// Bias-free normalisation of packed pixels.
func biasFreeNormalisation(_ weight: Tensor) -> DepthwiseBands.Normalisation {
    { panels, pixels in weight.withPointer { kernels.norm_biasfree_packed(panels, weight.count, pixels, $0, 1e-5) } }
}
