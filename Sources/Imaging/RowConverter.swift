/// What the rows of an output hold.
struct RowLayout {
    enum Channels {
        /// All of them.
        case all
        /// Colour, and alpha that the colour is independent of; other extra channels are left out.
        case straightAlpha
        /// Colour over white where it is transparent, no alpha.
        case opaque
    }

    /// 8, 16 or 32 (float).
    let depth: Int
    let channels: Channels
}

/// Converts rows of a pixel buffer to an output's depth and channels. Equal depth and channels are copied bit by bit.
struct RowConverter {
    private let pixels: PixelBuffer
    private let layout: RowLayout
    /// Index of the alpha channel, nil without one.
    private let alpha: Int?
    private let isPremultiplied: Bool

    init(_ pixels: PixelBuffer, _ layout: RowLayout) {
        self.pixels = pixels
        self.layout = layout
        let index = pixels.extraChannels.firstIndex { $0 != .unspecified }
        alpha = index.map { $0 + pixels.colourChannels }
        isPremultiplied = index.map { pixels.extraChannels[$0] == .premultipliedAlpha } ?? false
    }

    /// Channels of the output.
    var channels: Int {
        switch layout.channels {
        case .all: pixels.channels
        case .straightAlpha: pixels.colourChannels + (alpha == nil ? 0 : 1)
        case .opaque: pixels.colourChannels
        }
    }

    var rowBytes: Int { pixels.width * channels * layout.depth / 8 }

    /// Converts one row into `target` of `rowBytes` bytes.
    func convert(row: Int, into target: UnsafeMutableRawBufferPointer) {
        let count = pixels.width * pixels.channels
        let range = row * count..<(row + 1) * count
        switch (pixels.samples, layout.depth) {
        case (.uint8(let values), 8):
            emit(values, range, target) { $0 }
        case (.uint8(let values), _):
            emit(values, range, target) { UInt16($0) * 257 }
        case (.uint16(let values), 8):
            emit(values, range, target) { UInt8((UInt32($0) * 255 + 32_767) / 65_535) }
        case (.uint16(let values), _):
            emit(values, range, target) { $0 }
        case (.float32(let values), 32):
            values[range].withUnsafeBytes { target.copyMemory(from: $0) }
        case (.float32(let values), 8):
            emit(values, range, target) { UInt8(unit($0) * 255 + 0.5) }
        case (.float32(let values), _):
            emit(values, range, target) { UInt16(unit($0) * 65_535 + 0.5) }
        }
    }

    /// A float sample as planes show it.
    private func unit(_ value: Float) -> Float {
        let range = pixels.floatRange
        return max(0, min(1, (value - range.lowerBound) / (range.upperBound - range.lowerBound)))
    }

    @inline(__always)
    private func emit<Source, Target: FixedWidthInteger & UnsignedInteger>(
        _ values: [Source], _ range: Range<Int>, _ target: UnsafeMutableRawBufferPointer,
        _ rescale: (Source) -> Target
    ) {
        let out = target.bindMemory(to: Target.self)
        let all = pixels.channels
        values.withUnsafeBufferPointer { values in
            if all == channels, alpha == nil || layout.channels == .all || !isPremultiplied {
                for index in 0..<range.count {
                    out[index] = rescale(values[range.lowerBound + index])
                }
                return
            }
            for pixel in 0..<pixels.width {
                let source = range.lowerBound + pixel * all
                let coverage = alpha.map { rescale(values[source + $0]) } ?? Target.max
                for channel in 0..<pixels.colourChannels {
                    out[pixel * channels + channel] = blend(rescale(values[source + channel]), coverage)
                }
                if layout.channels == .straightAlpha, alpha != nil {
                    out[pixel * channels + pixels.colourChannels] = coverage
                }
            }
        }
    }

    /// A colour sample without its alpha, or over white.
    private func blend<Sample: FixedWidthInteger & UnsignedInteger>(_ colour: Sample, _ coverage: Sample) -> Sample {
        let full = UInt64(Sample.max)
        let value = UInt64(colour)
        let opacity = UInt64(coverage)
        let result =
            switch (layout.channels, isPremultiplied) {
            case (.straightAlpha, true): opacity == 0 ? 0 : (value * full + opacity / 2) / opacity
            case (.opaque, true): value + full - opacity
            case (.opaque, false): (value * opacity + full * (full - opacity) + full / 2) / full
            default: value
            }
        return Sample(min(result, full))
    }
}
