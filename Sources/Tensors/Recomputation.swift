/// The result of a fused operation: its backward pass runs `graph`, the same function in single operations, once more.
///
/// Nothing but inputs and output is kept for training, which costs a forward pass and saves most of the memory
/// (spec F.2). Images are taken a few at a time, so that what the single operations write stays near.
/// - Parameter inputs: the activation [C, batch, height, width], whose images the graph treats apart, then parameters.
func recomputed(
    _ tensor: Tensor, from inputs: [Variable], operation: StaticString = #function,
    _ graph: @escaping ([Variable]) -> Variable
) -> Variable {
    recorded(tensor, from: inputs, operation: operation) { g, gradients in
        let x = inputs[0].tensor
        var dx = Tensor(x.shape) { _ in }
        for images in x.groupsOfImages {
            let tape = Tape()
            let leaves =
                [tape.variable(x.images(images))]
                + inputs.dropFirst().map { $0.wantsGradient ? tape.variable($0.tensor) : Variable($0.tensor) }
            let found = tape.backward(from: graph(leaves), seed: g.images(images))
            if let part = found[leaves[0]] { dx.replace(images: images, with: part) }
            for (input, leaf) in zip(inputs, leaves).dropFirst() {
                if let gradient = found[leaf] { gradients.add(gradient, to: input) }
            }
        }
        gradients.add(dx, to: inputs[0])
    }
}

/// `graph` without a tape, a few images at a time.
func computed(_ inputs: [Tensor], _ graph: ([Variable]) -> Variable) -> Tensor {
    let x = inputs[0]
    var y = Tensor(x.shape) { _ in }
    for images in x.groupsOfImages {
        let part = graph(([x.images(images)] + inputs.dropFirst()).map { Variable($0) }).tensor
        y.replace(images: images, with: part)
    }
    return y
}

extension Tensor {
    /// Ranges of images with about a thousand pixels each: enough to make products efficient.
    fileprivate var groupsOfImages: [Range<Int>] {
        let together = max(1, 1024 / (height * width))
        return stride(from: 0, to: batch, by: together).map { $0..<min($0 + together, batch) }
    }

    /// The given images of an activation.
    fileprivate func images(_ images: Range<Int>) -> Tensor {
        if images.count == batch { return self }
        let (area, count) = (height * width, images.count * height * width)
        return Tensor([channels, images.count, height, width]) { target in
            withPointer { source in
                for c in 0..<channels {
                    (target + c * count).update(from: source + (c * batch + images.lowerBound) * area, count: count)
                }
            }
        }
    }

    fileprivate mutating func replace(images: Range<Int>, with part: Tensor) {
        if images.count == batch { return self = part }
        let (channels, batch, area, count) = (channels, batch, height * width, images.count * height * width)
        withMutablePointer { target in
            part.withPointer { source in
                for c in 0..<channels {
                    (target + (c * batch + images.lowerBound) * area).update(from: source + c * count, count: count)
                }
            }
        }
    }
}
