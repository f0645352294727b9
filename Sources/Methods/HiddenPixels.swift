import Tensors

/// What a network is given in the place of a hidden pixel.
public enum HiddenPixels: String, Sendable, Codable, CaseIterable {
    /// Exactly 0 in every channel, as published (spec A.2).
    case zero
    /// The weighted mean of the visible neighbours. The network then starts from an interpolation instead of a hole,
    /// and learns in hundreds of steps what takes it thousands from zeros. The hidden value itself is not used.
    case neighbours

    /// The network's input.
    ///
    /// - Parameters:
    ///   - image: [C, batch, height, width].
    ///   - visible: [1, batch, height, width], 1 where the network may see the pixel.
    func input(_ image: Tensor, visible: Tensor) -> Tensor {
        let seen = masked(Variable(image), by: visible).tensor
        return self == .zero ? seen : filled(seen, visible: visible)
    }
}
