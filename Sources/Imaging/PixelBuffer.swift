/// What a channel beyond the colour means (TIFF 6.0, ExtraSamples).
public enum ExtraChannel: UInt16, Sendable {
    case unspecified = 0
    /// Alpha that the colour is already multiplied by.
    case premultipliedAlpha = 1
    /// Alpha that the colour is independent of, as in PNG.
    case alpha = 2
}

/// An image as its file stores it: sample (y, x, c) lies at (y·width + x)·channels + c, colour channels first.
///
/// Only colour is ever converted to and from planes; extra channels pass through bit-exactly. Storage is one array of
/// the file's own sample type, so that 24 megapixels of 16-bit RGB take 144 MB.
public struct PixelBuffer: Sendable, Equatable {
    /// Samples of the file's own type.
    public enum Samples: Sendable, Equatable {
        /// 0…255
        case uint8([UInt8])
        /// 0…65535
        case uint16([UInt16])
        /// Any finite value; `PixelBuffer.floatRange` maps to [0, 1].
        case float32([Float])
    }

    public let width: Int
    public let height: Int
    /// 1 (grey) or 3 (red, green, blue).
    public let colourChannels: Int
    public let extraChannels: [ExtraChannel]
    public internal(set) var samples: Samples
    /// The float values that planes call 0 and 1. It is 0…1 when every colour sample lies there, as in ordinary float
    /// TIFFs; otherwise it is the smallest range that holds 0, 1 and every colour sample, so that images which leave
    /// [0, 1] (scene-linear, or 0…255 in floats) survive a round trip. Integer samples leave it at 0…1.
    public let floatRange: ClosedRange<Float>

    /// Channels of a pixel, extra ones included.
    public var channels: Int { colourChannels + extraChannels.count }

    /// 8, 16, or 32 for floating point.
    public var bitDepth: Int {
        switch samples {
        case .uint8: 8
        case .uint16: 16
        case .float32: 32
        }
    }

    /// - Precondition: one or three colour channels, and `width · height · channels` samples, finite if floats.
    public init(
        width: Int, height: Int, colourChannels: Int, extraChannels: [ExtraChannel] = [], samples: Samples
    ) {
        precondition(colourChannels == 1 || colourChannels == 3, "colour has one or three channels")
        let count =
            switch samples {
            case .uint8(let values): values.count
            case .uint16(let values): values.count
            case .float32(let values): values.count
            }
        let channels = colourChannels + extraChannels.count
        precondition(count == width * height * channels, "sample count does not match the size")
        self.width = width
        self.height = height
        self.colourChannels = colourChannels
        self.extraChannels = extraChannels
        self.samples = samples
        if case .float32(let values) = samples {
            floatRange = Self.range(of: values, colourChannels: colourChannels, channels: channels)
        } else {
            floatRange = 0...1
        }
    }

    /// The smallest range that holds 0, 1 and all colour samples.
    private static func range(of values: [Float], colourChannels: Int, channels: Int) -> ClosedRange<Float> {
        var low: Float = 0
        var high: Float = 1
        values.withUnsafeBufferPointer { values in
            for pixel in stride(from: 0, to: values.count, by: channels) {
                for channel in 0..<colourChannels {
                    precondition(values[pixel + channel].isFinite, "samples must be finite")
                    low = min(low, values[pixel + channel])
                    high = max(high, values[pixel + channel])
                }
            }
        }
        return low...high
    }
}
