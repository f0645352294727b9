/// How a camera fills in the two colours that a photosite does not measure. All of it is linear, so it can be applied
/// to the noise alone.
public enum Demosaicing: String, Sendable, CaseIterable {
    /// Every pixel measures every colour: three sensors, a film scanner, or a photograph that was shrunk.
    case none
    /// Mean of the nearest neighbours of a colour.
    case bilinear
    /// Bilinear corrected by the gradient of the measured colour (Malvar, He and Cutler, ICASSP 2004).
    case gradientCorrected
}

/// Colour of the photosites: red where row and column have the given parities, green where just one of them differs.
struct BayerPattern: Sendable {
    let redRow: Int
    let redColumn: Int

    /// 0, 1, 2 for red, green, blue.
    func channel(row: Int, column: Int) -> Int {
        ((row ^ redRow) & 1) + ((column ^ redColumn) & 1)
    }
}

extension Demosaicing {
    /// Red, green and blue planes of a mosaic.
    func planes(of mosaic: Plane, pattern: BayerPattern) -> [Plane] {
        let (width, height) = (mosaic.width, mosaic.height)
        let stride = width + 4
        let padded = Self.padded(mosaic)
        var planes = [mosaic, mosaic, mosaic]
        let correction: Float = self == .gradientCorrected ? 1 : 0
        for row in 0..<height {
            for column in 0..<width {
                let centre = (row + 2) * stride + column + 2
                let own = padded[centre]
                let across = padded[centre - 1] + padded[centre + 1]
                let down = padded[centre - stride] + padded[centre + stride]
                let diagonal =
                    padded[centre - stride - 1] + padded[centre - stride + 1] + padded[centre + stride - 1]
                    + padded[centre + stride + 1]
                let farAcross = padded[centre - 2] + padded[centre + 2]
                let farDown = padded[centre - 2 * stride] + padded[centre + 2 * stride]
                let index = row * width + column
                let channel = pattern.channel(row: row, column: column)
                if channel == 1 {
                    // At green, the colour of this row lies left and right, the other above and below.
                    let bend = 5 * own - diagonal
                    let inRow = across / 2 + correction * (bend - farAcross + farDown / 2) / 8
                    let inColumn = down / 2 + correction * (bend - farDown + farAcross / 2) / 8
                    let rowIsRed = (row ^ pattern.redRow) & 1 == 0
                    planes[0].samples[index] = rowIsRed ? inRow : inColumn
                    planes[2].samples[index] = rowIsRed ? inColumn : inRow
                } else {
                    let far = farAcross + farDown
                    planes[1].samples[index] = (across + down) / 4 + correction * (4 * own - far) / 8
                    planes[2 - channel].samples[index] = diagonal / 4 + correction * (6 * own - 1.5 * far) / 8
                }
            }
        }
        return planes
    }

    /// Two mirrored samples on each side.
    private static func padded(_ mosaic: Plane) -> [Float] {
        let columns = (-2..<mosaic.width + 2).map { Plane.mirrored($0, mosaic.width) }
        var padded: [Float] = []
        padded.reserveCapacity((mosaic.width + 4) * (mosaic.height + 4))
        for row in -2..<mosaic.height + 2 {
            let start = Plane.mirrored(row, mosaic.height) * mosaic.width
            for column in columns { padded.append(mosaic.samples[start + column]) }
        }
        return padded
    }
}
