import CKernels

/// Space to channels: out[c·f² + i·f + j](y, x) = in[c](f·y + i, f·x + j).
///
/// - Parameter x: [C, batch, H, W] with H and W multiples of `factor`.
/// - Returns: [C·f², batch, H/f, W/f]. Source: spec A.1, last line.
public func pixelUnshuffle(_ x: Variable, factor: Int) -> Variable {
    let y = timed { Shuffle(factor, phases: .channels).spaceToPhases(x.tensor) }
    return recorded(y, from: [x]) { g, gradients in
        gradients.add(Shuffle(factor, phases: .channels).phasesToSpace(g), to: x)
    }
}

/// Channels to space, the inverse of `pixelUnshuffle`.
///
/// - Parameter base: what is added to the result, of its shape.
public func pixelShuffle(_ x: Variable, factor: Int, adding base: Variable? = nil) -> Variable {
    let y = timed { Shuffle(factor, phases: .channels).phasesToSpace(x.tensor, adding: base?.tensor) }
    return recorded(y, from: [x] + (base.map { [$0] } ?? [])) { g, gradients in
        gradients.add(Shuffle(factor, phases: .channels).spaceToPhases(g), to: x)
        if let base { gradients.add(g, to: base) }
    }
}

/// Pixel downsampling P_s: the s² sub-images of each image become images of the batch, index b·s² + i·s + j for row
/// phase i and column phase j.
///
/// - Parameter x: [C, batch, H, W] with H and W multiples of `stride`.
/// - Returns: [C, batch·s², H/s, W/s]. Source: spec A.1.
public func pixelDownsample(_ x: Variable, stride: Int) -> Variable {
    if stride == 1 { return x }
    let y = timed { Shuffle(stride, phases: .batch).spaceToPhases(x.tensor) }
    return recorded(y, from: [x]) { g, gradients in
        gradients.add(Shuffle(stride, phases: .batch).phasesToSpace(g), to: x)
    }
}

/// P_s⁻¹, the inverse of `pixelDownsample`. Source: spec A.1.
public func pixelUpsample(_ x: Variable, stride: Int) -> Variable {
    if stride == 1 { return x }
    let y = timed { Shuffle(stride, phases: .batch).phasesToSpace(x.tensor) }
    return recorded(y, from: [x]) { g, gradients in
        gradients.add(Shuffle(stride, phases: .batch).spaceToPhases(g), to: x)
    }
}

/// The permutation behind all four: since channels and batch are adjacent dimensions, both kinds of phase are planes.
struct Shuffle {
    enum Destination { case channels, batch }

    let factor: Int
    let phases: Destination

    init(_ factor: Int, phases: Destination) {
        self.factor = factor
        self.phases = phases
    }

    func spaceToPhases(_ x: Tensor) -> Tensor {
        let (channels, batch, height, width) = (x.channels, x.batch, x.height / factor, x.width / factor)
        precondition(height * factor == x.height && width * factor == x.width, "\(x.shape) is no multiple of \(factor)")
        let phaseCount = factor * factor
        let shape =
            phases == .channels
            ? [channels * phaseCount, batch, height, width] : [channels, batch * phaseCount, height, width]
        return Tensor(shape) { target in
            x.withPointer { source in
                forEachRow(channels, batch, height, width) { fine, coarse, stride in
                    kernels.part_phases(source + fine, factor, width, target + coarse, stride)
                }
            }
        }
    }

    /// - Parameter base: what is added to the result.
    func phasesToSpace(_ x: Tensor, adding base: Tensor? = nil) -> Tensor {
        let phaseCount = factor * factor
        let channels = phases == .channels ? x.channels / phaseCount : x.channels
        let batch = phases == .batch ? x.batch / phaseCount : x.batch
        let shape = [channels, batch, x.height * factor, x.width * factor]
        precondition(base.map { $0.shape == shape } ?? true, "something of another shape than \(shape) is to be added")
        return Tensor(shape) { target in
            x.withPointer { source in
                withOptionalPointer(base) { base in
                    forEachRow(channels, batch, x.height, x.width) { fine, coarse, stride in
                        kernels.join_phases(
                            source + coarse, stride, factor, x.width, base.map { $0 + fine }, target + fine)
                    }
                }
            }
        }
    }

    /// Calls `body` for every row of the fine tensor: where it begins there, where its first column phase begins in the
    /// coarse one, and how far apart its column phases lie. Height and width are those of the coarse planes.
    private func forEachRow(
        _ channels: Int, _ batch: Int, _ height: Int, _ width: Int,
        _ body: (_ fine: Int, _ coarse: Int, _ stride: Int) -> Void
    ) {
        let plane = height * width
        let stride = phases == .channels ? batch * plane : plane
        for c in 0..<channels {
            for b in 0..<batch {
                for row in 0..<height {
                    for i in 0..<factor {
                        let first =
                            phases == .channels
                            ? (c * factor * factor + i * factor) * batch + b
                            : (c * batch + b) * factor * factor + i * factor
                        let fine = ((c * batch + b) * height + row) * factor + i
                        body(fine * factor * width, first * plane + row * width, stride)
                    }
                }
            }
        }
    }
}
