import CKernels

#if canImport(Glibc)
    import Glibc
#endif

/// Restormer's attention across channels: for each image and head, A = softmax_row(τ·q̂k̂ᵀ) of size c×c with q and k
/// normalised over the pixels, and the result A·v.
///
/// - Parameters:
///   - qkv: [3C, batch, height, width], channel thirds q, k, v; head a owns c = C/heads contiguous channels of each.
///   - temperature: [heads, 1, 1].
/// - Returns: [C, batch, height, width]. Source: spec B.1 (MDTA) and E.
public func transposedAttention(_ qkv: Variable, temperature: Variable, heads: Int) -> Variable {
    let channels = qkv.tensor.channels / 3
    precondition(channels * 3 == qkv.tensor.channels && channels % heads == 0, "\(qkv.tensor.shape) for \(heads) heads")
    var maps: [AttentionMap] = []
    let y = timed {
        Tensor([channels] + qkv.tensor.shape[1...]) { y in
            forEachHead(qkv.tensor, heads) { window in
                let map = AttentionMap(window, temperature: temperature.tensor.withPointer { $0[window.head] })
                map.mix.withPointer {
                    product(
                        MatrixView($0, row: window.channels), MatrixView(window.v, row: window.stride),
                        into: y + window.offset, row: window.stride, rows: window.channels, columns: window.pixels,
                        depth: window.channels, adding: false)
                }
                maps.append(map)
            }
        }
    }
    return recorded(y, from: [qkv, temperature]) { g, gradients in
        gradients.accumulateAdding(temperature) { dτ in
            let dqkv = Tensor(qkv.tensor.shape) { dqkv in
                var next = maps.makeIterator()
                g.withPointer { g in
                    forEachHead(qkv.tensor, heads) { window in
                        guard let map = next.next() else { return }
                        dτ[window.head] += map.backward(window, g + window.offset, into: dqkv)
                    }
                }
            }
            gradients.add(dqkv, to: qkv)
        }
    }
}

/// One head of one image: pointers to its rows of q, k and v.
private struct HeadWindow {
    let head: Int
    /// Channels of the head, c.
    let channels: Int
    let pixels: Int
    /// Distance between two channels.
    let stride: Int
    /// First element of the head in a tensor of C channels.
    let offset: Int
    /// Distance between q and k, and between k and v.
    let third: Int
    let q: UnsafePointer<Float>

    var k: UnsafePointer<Float> { q + third }
    var v: UnsafePointer<Float> { q + 2 * third }
}

private func forEachHead(_ qkv: Tensor, _ heads: Int, _ body: (HeadWindow) -> Void) {
    let (all, area) = (qkv.channels / 3, qkv.height * qkv.width)
    qkv.withPointer { base in
        for image in 0..<qkv.batch {
            for head in 0..<heads {
                let offset = head * (all / heads) * qkv.pixels + image * area
                body(
                    HeadWindow(
                        head: head, channels: all / heads, pixels: area, stride: qkv.pixels, offset: offset,
                        third: all * qkv.pixels, q: base + offset))
            }
        }
    }
}

/// What the backward pass needs of one head: the softmax A, the cosines R and the norms of q's and k's rows.
private struct AttentionMap {
    let mix: Tensor
    let cosines: [Float]
    let queryNorms: [Float]
    let keyNorms: [Float]
    let temperature: Float

    init(_ window: HeadWindow, temperature: Float) {
        let c = window.channels
        self.temperature = temperature
        queryNorms = norms(window.q, window)
        keyNorms = norms(window.k, window)
        var r = [Float](repeating: 0, count: c * c)
        r.withUnsafeMutableBufferPointer { r in
            guard let r = r.baseAddress else { return }
            product(
                MatrixView(window.q, row: window.stride), MatrixView(window.k, row: window.stride).transposed,
                into: r, row: c, rows: c, columns: c, depth: window.pixels, adding: false)
        }
        cosines = Tensors.cosines(r, queryNorms, keyNorms)
        mix = softmaxRows(cosines, channels: c, times: temperature)
    }

    /// Writes dq, dk, dv of this head; returns its dτ. `g` is the gradient of A·v at the head's rows.
    func backward(_ window: HeadWindow, _ g: UnsafePointer<Float>, into dqkv: UnsafeMutablePointer<Float>) -> Float {
        let (c, n, stride) = (window.channels, window.pixels, window.stride)
        let (dq, dk, dv) = (
            dqkv + window.offset, dqkv + window.offset + window.third, dqkv + window.offset + 2 * window.third
        )
        var ds = [Float](repeating: 0, count: c * c)
        var dτ: Float = 0
        var dg = [Float](repeating: 0, count: c * c)
        ds.withUnsafeMutableBufferPointer { ds in
            guard let ds = ds.baseAddress else { return }
            product(
                MatrixView(g, row: stride), MatrixView(window.v, row: stride).transposed,
                into: ds, row: c, rows: c, columns: c, depth: n, adding: false)
            softmaxBackward(ds, c)
            for index in 0..<c * c { dτ += ds[index] * cosines[index] }
        }
        for i in 0..<c {
            for j in 0..<c {
                // A row of zeros has no direction, hence no gradient (spec E, pitfall 3).
                let isDefined = queryNorms[i] > smallestNorm && keyNorms[j] > smallestNorm
                dg[i * c + j] = isDefined ? temperature * ds[i * c + j] / (queryNorms[i] * keyNorms[j]) : 0
            }
        }
        mix.withPointer {
            product(
                MatrixView($0, row: c).transposed, MatrixView(g, row: stride),
                into: dv, row: stride, rows: c, columns: n, depth: c, adding: false)
        }
        for i in 0..<c {
            scaleRow(window.q + i * stride, dq + i * stride, -rowSum(ds, i, c) / (queryNorms[i] * queryNorms[i]), n)
            scaleRow(window.k + i * stride, dk + i * stride, -columnSum(ds, i, c) / (keyNorms[i] * keyNorms[i]), n)
        }
        dg.withUnsafeBufferPointer { dg in
            guard let dg = dg.baseAddress else { return }
            product(
                MatrixView(dg, row: c), MatrixView(window.k, row: stride),
                into: dq, row: stride, rows: c, columns: n, depth: c, adding: true)
            product(
                MatrixView(dg, row: c).transposed, MatrixView(window.q, row: stride),
                into: dk, row: stride, rows: c, columns: n, depth: c, adding: true)
        }
        return dτ
    }

    /// dS = A⊙(dA − rowsum(dA⊙A)), in place.
    private func softmaxBackward(_ ds: UnsafeMutablePointer<Float>, _ c: Int) {
        mix.withPointer { a in
            for i in 0..<c {
                let row = i * c
                var mean: Float = 0
                for j in 0..<c { mean += ds[row + j] * a[row + j] }
                for j in 0..<c { ds[row + j] = a[row + j] * (ds[row + j] - mean) }
            }
        }
    }

    /// Σ_j dS_ij S_ij with S = τR.
    private func rowSum(_ ds: [Float], _ i: Int, _ c: Int) -> Float {
        (0..<c).reduce(0) { $0 + ds[i * c + $1] * temperature * cosines[i * c + $1] }
    }

    private func columnSum(_ ds: [Float], _ j: Int, _ c: Int) -> Float {
        (0..<c).reduce(0) { $0 + ds[$1 * c + j] * temperature * cosines[$1 * c + j] }
    }
}

private func scaleRow(_ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ s: Float, _ count: Int) {
    kernels.scale_offset(x, s, 0, y, count)
}

/// What rows of zeros count as.
private let smallestNorm: Float = 1e-12

/// max(‖row‖, 1e-12) of each channel, summed in blocks and then in double (spec E, pitfall 4).
private func norms(_ rows: UnsafePointer<Float>, _ window: HeadWindow) -> [Float] {
    (0..<window.channels).map { channel in
        let row = rows + channel * window.stride
        var sum = 0.0
        for start in stride(from: 0, to: window.pixels, by: 4096) {
            sum += Double(kernels.dot(row + start, row + start, min(4096, window.pixels - start)))
        }
        return max(Float(sum.squareRoot()), smallestNorm)
    }
}

/// softmax_row(τ·R) with R the gram matrix [c, c] of q and k over the norms, whose squares are given.
func attentionMap(
    gram: UnsafePointer<Float>, channels c: Int, querySquares: ArraySlice<Double>, keySquares: ArraySlice<Double>,
    temperature: Float
) -> Tensor {
    func norms(_ squares: ArraySlice<Double>) -> [Float] { squares.map { max(Float($0.squareRoot()), smallestNorm) } }
    let gram = Array(UnsafeBufferPointer(start: gram, count: c * c))
    return softmaxRows(cosines(gram, norms(querySquares), norms(keySquares)), channels: c, times: temperature)
}

/// The gram matrix [queries, keys] over the norms of its rows and columns.
private func cosines(_ gram: [Float], _ queryNorms: [Float], _ keyNorms: [Float]) -> [Float] {
    gram.indices.map { gram[$0] / (queryNorms[$0 / keyNorms.count] * keyNorms[$0 % keyNorms.count]) }
}

private func softmaxRows(_ cosines: [Float], channels c: Int, times τ: Float) -> Tensor {
    Tensor([c, c]) { mix in
        for i in 0..<c { softmax(cosines[i * c..<(i + 1) * c], times: τ, into: mix + i * c) }
    }
}

private func softmax(_ row: ArraySlice<Float>, times τ: Float, into y: UnsafeMutablePointer<Float>) {
    let peak = row.lazy.map { $0 * τ }.max() ?? 0
    var sum: Float = 0
    for (j, value) in row.enumerated() {
        y[j] = expf(value * τ - peak)
        sum += y[j]
    }
    for j in 0..<row.count { y[j] /= sum }
}
