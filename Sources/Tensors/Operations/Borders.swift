/// Adds rows of zeros below and columns of zeros to the right. Source: spec B.2, "pad to ×16".
///
/// - Returns: [C, batch, height, width] of the given size, at least that of `x`.
public func padded(_ x: Variable, height: Int, width: Int) -> Variable {
    if height == x.tensor.height && width == x.tensor.width { return x }
    let (oldHeight, oldWidth) = (x.tensor.height, x.tensor.width)
    return recorded(resized(x.tensor, height, width), from: [x]) { g, gradients in
        gradients.add(resized(g, oldHeight, oldWidth), to: x)
    }
}

/// Keeps the top left `height` rows and `width` columns.
public func cropped(_ x: Variable, height: Int, width: Int) -> Variable {
    if height == x.tensor.height && width == x.tensor.width { return x }
    let (oldHeight, oldWidth) = (x.tensor.height, x.tensor.width)
    return recorded(resized(x.tensor, height, width), from: [x]) { g, gradients in
        gradients.add(resized(g, oldHeight, oldWidth), to: x)
    }
}

/// Crops or pads with zeros at the bottom and at the right: the two are each other's adjoints.
private func resized(_ x: Tensor, _ height: Int, _ width: Int) -> Tensor {
    let (rows, columns) = (min(height, x.height), min(width, x.width))
    return Tensor([x.channels, x.batch, height, width]) { target in
        x.withPointer { source in
            for plane in 0..<x.channels * x.batch {
                let from = source + plane * x.height * x.width
                let to = target + plane * height * width
                for row in 0..<rows {
                    (to + row * width).update(from: from + row * x.width, count: columns)
                    (to + row * width + columns).update(repeating: 0, count: width - columns)
                }
                (to + rows * width).update(repeating: 0, count: (height - rows) * width)
            }
        }
    }
}
