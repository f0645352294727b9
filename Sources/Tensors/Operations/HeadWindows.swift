import CKernels

/// One head of one image: pointers to its rows of q, k and v.
struct HeadWindow {
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

    /// This head and the next ones, up to so many channels, as if they were one.
    func widened(to channels: Int) -> HeadWindow {
        HeadWindow(head: head, channels: channels, pixels: pixels, stride: stride, offset: offset, third: third, q: q)
    }

    /// a·bᵀ of two blocks of rows in planes of this size: [channels, channels].
    func gram(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>) -> Tensor {
        Tensor([channels, channels]) {
            Tensors.product(
                MatrixView(a, row: stride), MatrixView(b, row: stride).transposed, into: $0, row: channels,
                rows: channels, columns: channels, depth: pixels, adding: false)
        }
    }

    /// y = base + m·x for a square matrix and blocks of rows in planes of this size.
    func product(
        _ m: MatrixView, _ x: UnsafePointer<Float>, adding base: UnsafePointer<Float>? = nil,
        into y: UnsafeMutablePointer<Float>
    ) {
        ChannelMixing(outputs: channels, inputs: channels, weights: m).run(
            x, stride: stride, adding: base, into: y, stride: stride, pixels: pixels)
    }

    /// ‖row‖², summed in blocks and then in double (spec E, pitfall 4).
    func squares(_ rows: UnsafePointer<Float>) -> [Double] {
        (0..<channels).map { channel in
            let row = rows + channel * stride
            return Swift.stride(from: 0, to: pixels, by: 4096).reduce(0) { sum, start in
                sum + Double(kernels.dot(row + start, row + start, min(4096, pixels - start)))
            }
        }
    }

    /// - Parameter dqkv: a tensor of the shape of qkv.
    func writeQueryAndKeyGradients(_ slopes: AttentionMap.Slopes, into dqkv: UnsafeMutablePointer<Float>) {
        let (dq, dk) = (dqkv + offset, dqkv + offset + third)
        for i in 0..<channels {
            kernels.scale_offset(q + i * stride, slopes.own.q[i], 0, dq + i * stride, pixels)
            kernels.scale_offset(k + i * stride, slopes.own.k[i], 0, dk + i * stride, pixels)
        }
        slopes.gram.withPointer {
            let gram = MatrixView($0, row: channels)
            product(gram, k, adding: dq, into: dq)
            product(gram.transposed, q, adding: dk, into: dk)
        }
    }
}

/// The heads of every image of [q; k; v].
struct HeadWindows {
    private let qkv: Tensor
    private let heads: Int
    /// Channels of all heads, C.
    let channels: Int

    init(_ qkv: Tensor, heads: Int) {
        channels = qkv.channels / 3
        precondition(channels * 3 == qkv.channels && channels % heads == 0, "\(qkv.shape) for \(heads) heads")
        self.qkv = qkv
        self.heads = heads
    }

    func forEachImage(_ body: ([HeadWindow]) -> Void) {
        let (c, area) = (channels / heads, qkv.height * qkv.width)
        qkv.withPointer { base in
            for image in 0..<qkv.batch {
                body(
                    (0..<heads).map { head in
                        let offset = head * c * qkv.pixels + image * area
                        return HeadWindow(
                            head: head, channels: c, pixels: area, stride: qkv.pixels, offset: offset,
                            third: channels * qkv.pixels, q: base + offset)
                    })
            }
        }
    }
}

extension AttentionMap {
    /// - Parameter temperature: τ of all heads.
    init(_ window: HeadWindow, temperature: Tensor) {
        let gram = window.gram(window.q, window.k)
        self = gram.withPointer { gram in
            AttentionMap(
                gram: gram, querySquares: window.squares(window.q), keySquares: window.squares(window.k),
                temperature: temperature.withPointer { $0[window.head] })
        }
    }
}
