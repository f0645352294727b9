import Imaging
import Testing

struct PixelBufferTests {
    @Test func everyIntegerSurvivesPlanes() {
        let narrow = (0...255).map { UInt8($0) }
        var eight = PixelBuffer(width: 256, height: 1, colourChannels: 1, samples: .uint8(narrow))
        eight.write(eight.planar(), row: 0, column: 0)
        #expect(eight.samples == .uint8(narrow))

        let wide = (0...65_535).map { UInt16($0) }
        var sixteen = PixelBuffer(width: 256, height: 256, colourChannels: 1, samples: .uint16(wide))
        sixteen.write(sixteen.planar(), row: 0, column: 0)
        #expect(sixteen.samples == .uint16(wide))
    }

    @Test func writingRoundsHalfUpAndClamps() {
        var pixels = PixelBuffer(width: 6, height: 1, colourChannels: 1, samples: .uint8([9, 9, 9, 9, 9, 9]))
        let values: [Float] = [-0.5, 1.5, 0.5 / 255, 0.499 / 255, .nan, .infinity]
        pixels.write(PlanarImage(width: 6, height: 1, channels: 1, samples: values), row: 0, column: 0)
        #expect(pixels.samples == .uint8([0, 255, 1, 0, 0, 255]))
    }

    @Test func extraChannelsAreNeverTouched() {
        let values = (0..<5 * 4 * 4).map { UInt16($0 * 811) }
        var pixels = PixelBuffer(
            width: 5, height: 4, colourChannels: 3, extraChannels: [.alpha], samples: .uint16(values))
        pixels.write(PlanarImage(width: 5, height: 4, channels: 3), row: 0, column: 0)
        let expected = values.enumerated().map { $0.offset % 4 == 3 ? $0.element : 0 }
        #expect(pixels.samples == .uint16(expected))
    }

    @Test func rectanglesReadAndWriteTheirPixelsOnly() {
        let values = (0..<7 * 5 * 3).map { UInt8($0) }
        var pixels = PixelBuffer(width: 7, height: 5, colourChannels: 3, samples: .uint8(values))
        let part = pixels.planar(rows: 1..<4, columns: 2..<6)
        #expect(part.width == 4 && part.height == 3 && part.channels == 3)
        #expect(part[2, 1, 3] == Float((2 * 7 + 5) * 3 + 2) / 255)
        pixels.write(PlanarImage(width: 4, height: 3, channels: 3, repeating: 1), row: 1, column: 2)
        let expected = values.enumerated().map { index, value -> UInt8 in
            let (row, column) = (index / 21, index / 3 % 7)
            return (1..<4).contains(row) && (2..<6).contains(column) ? 255 : value
        }
        #expect(pixels.samples == .uint8(expected))
    }

    @Test func floatsBeyondOneKeepTheirRange() {
        let values: [Float] = [-2, 0, 0.25, 1, 7.5, 6]
        var pixels = PixelBuffer(width: 6, height: 1, colourChannels: 1, samples: .float32(values))
        #expect(pixels.floatRange == -2...7.5)
        let planes = pixels.planar()
        #expect(planes.samples.min() == 0 && planes.samples.max() == 1)
        pixels.write(planes, row: 0, column: 0)
        guard case .float32(let after) = pixels.samples else { return }
        for (value, again) in zip(values, after) {
            // Two roundings of a number in [0, 1], times the range of 9.5: below 4 · 2^-24 · 9.5.
            #expect(abs(value - again) < 2.5e-6)
        }
    }

    @Test func floatsWithinOneAreUntouched() {
        let values: [Float] = [0, 0.1, 0.2, 0.7, 1, 1e-20]
        var pixels = PixelBuffer(width: 6, height: 1, colourChannels: 1, samples: .float32(values))
        #expect(pixels.planar().samples == values)
        pixels.write(pixels.planar(), row: 0, column: 0)
        #expect(pixels.samples == .float32(values))
    }
}
