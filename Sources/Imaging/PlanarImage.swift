/// Colour planes of 32-bit floats, nominally in [0, 1]: sample (c, y, x) lies at (c·height + y)·width + x.
public struct PlanarImage: Sendable, Equatable {
    public let width: Int
    public let height: Int
    public let channels: Int
    /// `channels · height · width` samples.
    public var samples: [Float]

    /// - Precondition: `samples.count == channels * height * width`.
    public init(width: Int, height: Int, channels: Int, samples: [Float]) {
        precondition(samples.count == channels * height * width, "sample count does not match the size")
        self.width = width
        self.height = height
        self.channels = channels
        self.samples = samples
    }

    /// An image of one value.
    public init(width: Int, height: Int, channels: Int, repeating value: Float = 0) {
        self.init(
            width: width, height: height, channels: channels,
            samples: [Float](repeating: value, count: channels * height * width))
    }

    public subscript(channel: Int, row: Int, column: Int) -> Float {
        get { samples[(channel * height + row) * width + column] }
        set { samples[(channel * height + row) * width + column] = newValue }
    }
}
