extension PixelBuffer {
    /// The colour of a rectangle as planes in [0, 1]; extra channels are left out.
    ///
    /// - Precondition: the rectangle lies inside the image.
    public func planar(rows: Range<Int>, columns: Range<Int>) -> PlanarImage {
        checkInside(rows: rows, columns: columns)
        var image = PlanarImage(width: columns.count, height: rows.count, channels: colourChannels)
        image.samples.withUnsafeMutableBufferPointer { planes in
            switch samples {
            case .uint8(let values):
                read(values, into: planes, rows, columns) { Float($0) / 255 }
            case .uint16(let values):
                read(values, into: planes, rows, columns) { Float($0) / 65_535 }
            case .float32(let values) where floatRange == 0...1:
                read(values, into: planes, rows, columns) { $0 }
            case .float32(let values):
                let low = floatRange.lowerBound
                let scale = 1 / (floatRange.upperBound - low)
                read(values, into: planes, rows, columns) { ($0 - low) * scale }
            }
        }
        return image
    }

    /// The colour of the whole image as planes in [0, 1].
    public func planar() -> PlanarImage {
        planar(rows: 0..<height, columns: 0..<width)
    }

    /// Replaces the colour of a rectangle whose first pixel is (`row`, `column`). Values are clamped to [0, 1] and, for
    /// integers, rounded half up; NaN becomes 0. Extra channels keep every bit.
    ///
    /// - Precondition: the rectangle lies inside the image and has as many channels as the colour.
    public mutating func write(_ image: PlanarImage, row: Int, column: Int) {
        let rows = row..<row + image.height
        let columns = column..<column + image.width
        checkInside(rows: rows, columns: columns)
        precondition(image.channels == colourChannels, "channels differ")
        // Each array is taken out of the enumeration while it changes, or writing would copy the whole image.
        let old = samples
        samples = .uint8([])
        switch consume old {
        case .uint8(var values):
            store(image, into: &values, rows, columns) { UInt8(Self.unit($0) * 255 + 0.5) }
            samples = .uint8(values)
        case .uint16(var values):
            store(image, into: &values, rows, columns) { UInt16(Self.unit($0) * 65_535 + 0.5) }
            samples = .uint16(values)
        case .float32(var values):
            let low = floatRange.lowerBound
            let span = floatRange.upperBound - low
            store(image, into: &values, rows, columns) { low + Self.unit($0) * span }
            samples = .float32(values)
        }
    }

    private static func unit(_ value: Float) -> Float {
        value > 0 ? min(value, 1) : 0
    }

    private func checkInside(rows: Range<Int>, columns: Range<Int>) {
        precondition(
            rows.lowerBound >= 0 && rows.upperBound <= height && columns.lowerBound >= 0 && columns.upperBound <= width,
            "the rectangle leaves the image")
    }

    @inline(__always)
    private func read<Sample>(
        _ values: [Sample], into planes: UnsafeMutableBufferPointer<Float>, _ rows: Range<Int>, _ columns: Range<Int>,
        _ convert: (Sample) -> Float
    ) {
        let channels = self.channels
        values.withUnsafeBufferPointer { values in
            for channel in 0..<colourChannels {
                var target = channel * rows.count * columns.count
                for row in rows {
                    var source = (row * width + columns.lowerBound) * channels + channel
                    for _ in columns {
                        planes[target] = convert(values[source])
                        target += 1
                        source += channels
                    }
                }
            }
        }
    }

    @inline(__always)
    private func store<Sample>(
        _ image: PlanarImage, into values: inout [Sample], _ rows: Range<Int>, _ columns: Range<Int>,
        _ convert: (Float) -> Sample
    ) {
        let channels = self.channels
        image.samples.withUnsafeBufferPointer { planes in
            values.withUnsafeMutableBufferPointer { values in
                for channel in 0..<colourChannels {
                    var source = channel * rows.count * columns.count
                    for row in rows {
                        var target = (row * width + columns.lowerBound) * channels + channel
                        for _ in columns {
                            values[target] = convert(planes[source])
                            source += 1
                            target += channels
                        }
                    }
                }
            }
        }
    }
}

extension PixelBuffer {
    /// The same image in 16 bits where it has 8: 0…255 become 0…65535, so that what is written next keeps its
    /// fractions.
    public var widened: PixelBuffer {
        guard case .uint8(let values) = samples else { return self }
        return PixelBuffer(
            width: width, height: height, colourChannels: colourChannels, extraChannels: extraChannels,
            samples: .uint16(values.map { UInt16($0) * 257 }))
    }
}
