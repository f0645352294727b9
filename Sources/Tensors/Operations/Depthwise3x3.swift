import CKernels

/// Depthwise 3×3 convolution: each channel with its own nine weights, zero padding of one pixel.
///
/// - Parameters:
///   - x: [C, batch, height, width].
///   - weight: [C, 1, 3, 3].
///   - bias: [C].
/// - Returns: the shape of `x`. Source: spec E, "depthwise 3×3".
public func depthwise3x3(_ x: Variable, weight: Variable, bias: Variable? = nil) -> Variable {
    let y = timed { Depthwise3x3.forward(x.tensor, weight.tensor, bias?.tensor) }
    return recorded(y, from: [x, weight] + (bias.map { [$0] } ?? [])) { g, gradients in
        Depthwise3x3.backward(g, x, weight, bias, gradients)
    }
}

enum Depthwise3x3 {
    static func forward(_ x: Tensor, _ weight: Tensor, _ bias: Tensor?) -> Tensor {
        precondition(
            weight.shape == [x.channels, 1, 3, 3], "depthwise weight \(weight.shape) for \(x.channels) channels")
        let planes = Planes(x)
        return Tensor(x.shape) { y in
            withPointers(x, weight) { x, w in
                for c in 0..<planes.channels {
                    let offset = bias?.withPointer { $0[c] } ?? 0
                    planes.convolve(x + c * planes.pixels, w + c * 9, offset, into: y + c * planes.pixels)
                }
            }
        }
    }

    /// dx is the same convolution of g with the taps reversed; dw sums g times the shifted input.
    static func backward(
        _ g: Tensor, _ x: Variable, _ weight: Variable, _ bias: Variable?, _ gradients: Gradients
    ) {
        let planes = Planes(g)
        var dw = Tensor(weight.tensor.shape)
        let dx = Tensor(g.shape) { dx in
            dw.withMutablePointer { dw in
                withPointers(g, x.tensor, reversed(weight.tensor)) { g, x, w in
                    for c in 0..<planes.channels {
                        let channel = c * planes.pixels
                        planes.backward(
                            g + channel, x + channel, reversed: w + c * 9, dx: dx + channel, dw: dw + c * 9)
                    }
                }
            }
        }
        gradients.add(dx, to: x)
        gradients.add(dw, to: weight)
        if let bias {
            g.withPointer { sumRows($0, rows: g.channels, columns: g.pixels, into: bias, gradients) }
        }
    }

    /// One channel of an activation: a plane for each image.
    struct Planes {
        let channels: Int
        let pixels: Int
        private let height: Int, width: Int

        init(_ x: Tensor) {
            (channels, pixels, height, width) = (x.channels, x.pixels, x.height, x.width)
        }

        func convolve(
            _ x: UnsafePointer<Float>, _ taps: UnsafePointer<Float>, _ bias: Float, into y: UnsafeMutablePointer<Float>
        ) {
            for plane in stride(from: 0, to: pixels, by: height * width) {
                kernels.depthwise3x3(x + plane, height, width, 0, height, taps, bias, y + plane)
            }
        }

        /// Both gradients, plane by plane; `dw` is added to.
        func backward(
            _ g: UnsafePointer<Float>, _ x: UnsafePointer<Float>, reversed taps: UnsafePointer<Float>,
            dx: UnsafeMutablePointer<Float>, dw: UnsafeMutablePointer<Float>
        ) {
            for plane in stride(from: 0, to: pixels, by: height * width) {
                kernels.depthwise3x3(g + plane, height, width, 0, height, taps, 0, dx + plane)
                kernels.depthwise3x3_weights(x + plane, g + plane, height, width, dw)
            }
        }
    }

    static func reversed(_ weight: Tensor) -> Tensor {
        Tensor(weight.shape) { target in
            weight.withPointer { source in
                for c in 0..<weight.shape[0] {
                    for k in 0..<9 { target[c * 9 + 8 - k] = source[c * 9 + k] }
                }
            }
        }
    }
}
