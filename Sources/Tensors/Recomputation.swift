/// Pixels of an activation, over all images, up to which a step keeps what Restormer's blocks write: 140 KB for each at
/// full resolution, as measured, 0.7 GB for five sub-images of 32×32. Beyond it blocks are recomputed.
public let mostPixelsKept = 5 * 1024

/// Pixels of the images that are taken together: enough to make products efficient.
private let pixelsAtOnce = 1024

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
        let tape = Tape()
        let parameters = inputs.dropFirst().map { $0.wantsGradient ? tape.variable($0.tensor) : Variable($0.tensor) }
        var found: Gradients?
        for images in x.groupsOfImages(pixels: pixelsAtOnce) {
            let part = tape.variable(x.images(images))
            let sums = tape.backward(from: graph([part] + parameters), seed: g.images(images), addingTo: found)
            if let gradient = sums.take(part) { dx.replace(images: images, with: gradient) }
            found = sums
        }
        for (input, leaf) in zip(inputs.dropFirst(), parameters) {
            if let gradient = found?[leaf] { gradients.add(gradient, to: input) }
        }
        gradients.add(dx, to: inputs[0])
    }
}

/// `graph` without a tape, a few images at a time.
func computed(_ inputs: [Tensor], _ graph: ([Variable]) -> Variable) -> Tensor {
    let x = inputs[0]
    var y = Tensor(x.shape) { _ in }
    for images in x.groupsOfImages(pixels: pixelsAtOnce) {
        let part = graph(([x.images(images)] + inputs.dropFirst()).map { Variable($0) }).tensor
        y.replace(images: images, with: part)
    }
    return y
}
