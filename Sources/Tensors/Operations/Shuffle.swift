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
public func pixelShuffle(_ x: Variable, factor: Int) -> Variable {
    let y = timed { Shuffle(factor, phases: .channels).phasesToSpace(x.tensor) }
    return recorded(y, from: [x]) { g, gradients in
        gradients.add(Shuffle(factor, phases: .channels).spaceToPhases(g), to: x)
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
                forEachRow(channels, batch, height) { plane, row, fine, coarse in
                    let from = source + fine * x.width
                    let to = target + (coarse * height + row) * width
                    for column in 0..<width { to[column] = from[column * factor + plane] }
                }
            }
        }
    }

    func phasesToSpace(_ x: Tensor) -> Tensor {
        let phaseCount = factor * factor
        let channels = phases == .channels ? x.channels / phaseCount : x.channels
        let batch = phases == .batch ? x.batch / phaseCount : x.batch
        let (height, width) = (x.height, x.width)
        return Tensor([channels, batch, height * factor, width * factor]) { target in
            x.withPointer { source in
                forEachRow(channels, batch, height) { plane, row, fine, coarse in
                    let from = source + (coarse * height + row) * width
                    let to = target + fine * width * factor
                    for column in 0..<width { to[column * factor + plane] = from[column] }
                }
            }
        }
    }

    /// Calls `body` with the column phase, the coarse row, the index of the row in the fine tensor (counted over all
    /// planes) and the index of the coarse plane.
    private func forEachRow(
        _ channels: Int, _ batch: Int, _ height: Int, _ body: (_ j: Int, _ row: Int, _ fine: Int, _ coarse: Int) -> Void
    ) {
        for c in 0..<channels {
            for b in 0..<batch {
                for row in 0..<height {
                    for i in 0..<factor {
                        // The phases of a row follow each other: it is in the cache after the first.
                        for j in 0..<factor {
                            let phase = i * factor + j
                            let coarse =
                                phases == .channels
                                ? (c * factor * factor + phase) * batch + b
                                : c * batch * factor * factor + b * factor * factor + phase
                            body(j, row, ((c * batch + b) * height + row) * factor + i, coarse)
                        }
                    }
                }
            }
        }
    }
}
