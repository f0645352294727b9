/// Transposed 2×2 convolution of stride 2: every pixel becomes a block of 2×2. It is a 1×1 convolution to 4·Cout
/// channels, and a shuffle.
///
/// - Parameters:
///   - x: [Cin, batch, height, width].
///   - weight: [Cin, Cout, 2, 2].
///   - bias: [Cout].
/// - Returns: [Cout, batch, 2·height, 2·width]. Source: spec B.3 and E, "deconv 2×2 s2".
public func transposedConvolution2x2(_ x: Variable, weight: Variable, bias: Variable) -> Variable {
    let (inputs, outputs, pixels) = (x.tensor.channels, weight.tensor.shape[1], x.tensor.pixels)
    precondition(
        weight.tensor.shape == [inputs, outputs, 2, 2], "2×2 weight \(weight.tensor.shape) for \(inputs) channels")
    let shuffle = Shuffle(2, phases: .channels)
    let blocks = Tensor([4 * outputs] + x.tensor.shape[1...]) { blocks in
        let biases = Tensor([4 * outputs], bias.tensor.values.flatMap { Array(repeating: $0, count: 4) })
        x.tensor.withPointer {
            ChannelMixing(transposing: weight.tensor, bias: biases).run(
                $0, stride: pixels, into: blocks, stride: pixels, pixels: pixels)
        }
    }
    return recorded(shuffle.phasesToSpace(blocks), from: [x, weight, bias]) { g, gradients in
        g.withPointer { sumRows($0, rows: outputs, columns: 4 * pixels, into: bias, gradients) }
        shuffle.spaceToPhases(g).withPointer { g in
            gradients.accumulate(x) { dx, adding in
                ChannelMixing(weight.tensor).run(
                    g, stride: pixels, adding: adding ? UnsafePointer(dx) : nil, into: dx, stride: pixels,
                    pixels: pixels)
            }
            gradients.accumulate(weight) { dw, adding in
                x.tensor.withPointer {
                    mixingWeightGradient(
                        $0, stride: pixels, g, stride: pixels, into: dw, outputs: inputs, inputs: 4 * outputs,
                        pixels: pixels, adding: adding)
                }
            }
        }
    }
}
