import CKernels

/// The parameters of Restormer's attention block on C channels.
public struct AttentionBlockWeights {
    /// [C].
    public let norm: Variable
    /// [heads, 1, 1].
    public let temperature: Variable
    /// [3C, C, 1, 1].
    public let qkv: Variable
    /// [3C, 1, 3, 3].
    public let depthwise: Variable
    /// [C, C, 1, 1].
    public let project: Variable

    public init(norm: Variable, temperature: Variable, qkv: Variable, depthwise: Variable, project: Variable) {
        self.norm = norm
        self.temperature = temperature
        self.qkv = qkv
        self.depthwise = depthwise
        self.project = project
    }
}

/// x + W·attention(depthwise3x3(qkv·norm(x))) with the norm without bias and attention across channels.
///
/// Computed in two sweeps of bands: the first gathers q·kᵀ and the norms of q and k; after it W·A is one C×C matrix,
/// which the second applies to v. Neither q, k nor v is ever stored whole. Trained as the
/// feed-forward block is.
/// - Parameter x: [C, batch, height, width].
/// - Returns: the shape of `x`. Source: spec B.1, MDTA, and F.2.
public func attentionBlock(_ x: Variable, _ weights: AttentionBlockWeights, heads: Int) -> Variable {
    let inputs = [x, weights.norm, weights.temperature, weights.qkv, weights.depthwise, weights.project]
    let block = AttentionBlock(heads: heads)
    if x.wantsGradient, x.tensor.pixels <= mostPixelsKept { return block.graph(inputs) }
    let y = timed {
        if x.tensor.width < DepthwiseBands.leastWidth {
            return computed(inputs.map(\.tensor), block.graph)
        }
        return block.banded(inputs.map(\.tensor))
    }
    return recomputed(y, from: inputs, block.graph)
}

private struct AttentionBlock {
    let heads: Int

    func graph(_ v: [Variable]) -> Variable {
        let qkv = depthwise3x3(pointwise(biasFreeNorm(v[0], weight: v[1]), weight: v[3]), weight: v[4])
        if v[0].tensor.height * v[0].tensor.width > v[0].tensor.channels {
            return projectedAttention(qkv, temperature: v[2], project: v[5], heads: heads, addingTo: v[0])
        }
        let mixed = transposedAttention(qkv, temperature: v[2], heads: heads)
        return pointwise(mixed, weight: v[5], addingTo: v[0])
    }

    func banded(_ v: [Tensor]) -> Tensor {
        let (x, norm, temperature, qkv, depthwise, project) = (v[0], v[1], v[2], v[3], v[4], v[5])
        let width = x.channels / heads
        func bands(_ rows: [Range<Int>]) -> DepthwiseBands {
            DepthwiseBands(
                mixing: ChannelMixing(qkv, rows: rows), taps: depthwise.rows(rows), bias: nil,
                normalise: biasFreeNormalisation(norm))
        }
        let sweeps = DepthwiseBands.groups(of: heads, channelsOfEach: 2 * width, width: x.width).map { heads in
            let (first, last) = (heads.lowerBound * width, heads.upperBound * width)
            return (heads, bands([first..<last, x.channels + first..<x.channels + last]))
        }
        let values = DepthwiseBands.groups(of: x.channels, channelsOfEach: 1, width: x.width).map {
            ($0, bands([2 * x.channels + $0.lowerBound..<2 * x.channels + $0.upperBound]))
        }
        return Tensor(x.shape) { y in
            for image in 0..<x.batch {
                let maps = sweeps.flatMap { heads, bands in
                    softmaxMaps(bands, x, image, heads: heads, width: width, temperature)
                }
                let merged = merged(project, maps)
                for (range, bands) in values {
                    apply(merged, range, bands, x, image, into: y)
                }
            }
        }
    }

    /// A [c, c] of each of these heads, from bands of [q; k].
    private func softmaxMaps(
        _ bands: DepthwiseBands, _ x: Tensor, _ image: Int, heads: Range<Int>, width c: Int, _ temperature: Tensor
    ) -> [Tensor] {
        let channels = heads.count * c
        var squares = [Double](repeating: 0, count: 2 * channels)
        var grams = Tensor([heads.count, c, c])
        grams.withMutablePointer { grams in
            bands.forEachBand(of: x, image: image) { band in
                let (q, n) = (UnsafePointer(band.values), band.pixels)
                for row in 0..<2 * channels { squares[row] += Double(kernels.dot(q + row * n, q + row * n, n)) }
                for head in 0..<heads.count {
                    let rows = q + head * c * n
                    kernels.mix_channels_weights(
                        rows, n, c, rows + channels * n, n, c, n, grams + head * c * c, c)
                }
            }
        }
        return heads.indices.map { head in
            let index = head - heads.lowerBound
            let keys = channels + index * c
            return grams.withPointer { grams in
                AttentionMap(
                    gram: grams + index * c * c, querySquares: Array(squares[index * c..<(index + 1) * c]),
                    keySquares: Array(squares[keys..<keys + c]), temperature: temperature.values[head])
            }.mix
        }
    }

    /// y = (x or y) + merged[:, range]·v[range].
    private func apply(
        _ merged: Tensor, _ range: Range<Int>, _ bands: DepthwiseBands, _ x: Tensor, _ image: Int,
        into y: UnsafeMutablePointer<Float>
    ) {
        let mixing = merged.withPointer {
            ChannelMixing(
                outputs: x.channels, inputs: range.count,
                weights: MatrixView($0 + range.lowerBound, row: x.channels))
        }
        x.withPointer { x_ in
            bands.forEachBand(of: x, image: image) { band in
                mixing.run(band, adding: range.lowerBound == 0 ? x_ : UnsafePointer(y), into: y, stride: x.pixels)
            }
        }
    }
}
