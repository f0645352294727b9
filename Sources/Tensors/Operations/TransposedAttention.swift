import CKernels

/// Restormer's attention across channels: for each image and head, A = softmax_row(τ·q̂k̂ᵀ) of size c×c with q and k
/// normalised over the pixels, and the result A·v.
///
/// - Parameters:
///   - qkv: [3C, batch, height, width], channel thirds q, k, v; head a owns c = C/heads contiguous channels of each.
///   - temperature: [heads, 1, 1].
/// - Returns: [C, batch, height, width]. Source: spec B.1 (MDTA) and E.
public func transposedAttention(_ qkv: Variable, temperature: Variable, heads: Int) -> Variable {
    let windows = HeadWindows(qkv.tensor, heads: heads)
    var maps: [AttentionMap] = []
    let y = timed {
        Tensor([windows.channels] + qkv.tensor.shape[1...]) { y in
            windows.forEachImage { heads in
                for window in heads {
                    let map = AttentionMap(window, temperature: temperature.tensor)
                    map.mix.withPointer {
                        window.product(MatrixView($0, row: window.channels), window.v, into: y + window.offset)
                    }
                    maps.append(map)
                }
            }
        }
    }
    return recorded(y, from: [qkv, temperature]) { g, gradients in
        var dτ = [Float](repeating: 0, count: heads)
        let dqkv = Tensor(qkv.tensor.shape) { dqkv in
            var next = maps.makeIterator()
            g.withPointer { g in
                windows.forEachImage { heads in
                    for window in heads {
                        guard let map = next.next() else { return }
                        let g = g + window.offset
                        let slopes = map.slopes(window.gram(g, window.v))
                        map.mix.withPointer {
                            window.product(
                                MatrixView($0, row: window.channels).transposed, g,
                                into: dqkv + window.offset + 2 * window.third)
                        }
                        window.writeQueryAndKeyGradients(slopes, into: dqkv)
                        dτ[window.head] += slopes.temperature
                    }
                }
            }
        }
        gradients.add(dqkv, to: qkv)
        gradients.add(Tensor(temperature.tensor.shape, dτ), to: temperature)
    }
}

/// x + W·(A·v) with the A of `transposedAttention` and W·blockdiag(A) as one matrix for each image, which spares the
/// products of A with v and what they write.
///
/// Worth it where an image has more pixels than channels.
/// - Parameters:
///   - project: W, [C, C, 1, 1].
///   - x: [C, batch, height, width].
/// - Returns: the shape of `x`. Source: spec B.1 (MDTA) and F.2.
func projectedAttention(
    _ qkv: Variable, temperature: Variable, project: Variable, heads: Int, addingTo x: Variable
) -> Variable {
    let windows = HeadWindows(qkv.tensor, heads: heads)
    let channels = windows.channels
    var images: [(maps: [AttentionMap], merged: Tensor)] = []
    let y = timed {
        Tensor([channels] + qkv.tensor.shape[1...]) { y in
            windows.forEachImage { heads in
                let maps = heads.map { AttentionMap($0, temperature: temperature.tensor) }
                let merged = merged(project.tensor, maps.map(\.mix))
                let all = heads[0].widened(to: channels)
                withPointers(merged, x.tensor) { merged, x in
                    all.product(
                        MatrixView(merged, row: channels), all.v, adding: x + all.offset, into: y + all.offset)
                }
                images.append((maps, merged))
            }
        }
    }
    return recorded(y, from: [qkv, temperature, project, x]) { g, gradients in
        var dτ = [Float](repeating: 0, count: heads)
        var dW = Tensor(project.tensor.shape)
        let dqkv = Tensor(qkv.tensor.shape) { dqkv in
            var next = images.makeIterator()
            g.withPointer { g in
                windows.forEachImage { heads in
                    guard let (maps, merged) = next.next() else { return }
                    let all = heads[0].widened(to: channels)
                    let dM = all.gram(g + all.offset, all.v)
                    merged.withPointer {
                        all.product(
                            MatrixView($0, row: channels).transposed, g + all.offset,
                            into: dqkv + all.offset + 2 * all.third)
                    }
                    for (window, map) in zip(heads, maps) {
                        let dA = partMerged(dM, project.tensor, map.mix, head: window.head, into: &dW)
                        let slopes = map.slopes(dA)
                        window.writeQueryAndKeyGradients(slopes, into: dqkv)
                        dτ[window.head] += slopes.temperature
                    }
                }
            }
        }
        gradients.add(dqkv, to: qkv)
        gradients.add(Tensor(temperature.tensor.shape, dτ), to: temperature)
        gradients.add(dW, to: project)
        gradients.add(g, to: x)
    }
}
