import Foundation

/// What saving as a baseline JPEG does to the pixels: conversion to YCbCr, chroma at half resolution if wanted, and
/// rounding of the 8×8 cosine coefficients. Nothing is coded, since coding is lossless.
public struct JPEGQuantisation: Sendable, Equatable {
    /// 1…100 as libjpeg counts it.
    public var quality: Int
    /// True for 4:2:0: chroma at half resolution in both directions; false for 4:4:4.
    public var halvesChroma: Bool

    public init(quality: Int, halvesChroma: Bool) {
        self.quality = min(max(quality, 1), 100)
        self.halvesChroma = halvesChroma
    }

    /// Example tables K.1 and K.2 of ITU-T T.81.
    private static let luma: [Float] = [
        16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55,
        14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
        18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
        49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
    ]
    private static let chroma: [Float] = [
        17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99,
        24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99,
        99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
        99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    ]
    private func steps(_ table: [Float]) -> [Float] {
        let scale: Float = quality < 50 ? 5000 / Float(quality) : 200 - 2 * Float(quality)
        return table.map { min(max((($0 * scale + 50) / 100).rounded(.down), 1), 255) }
    }

    /// Where the top left pixel of a crop lies in the grid of blocks, 0…15 rows and columns from its start.
    struct Phase: Sendable {
        let row: Int
        let column: Int
    }

    /// Red, green and blue in [0, 1] after saving and loading: multiples of 1/255.
    func saved(_ planes: [Plane], phase: Phase) -> [Plane] {
        var converted = Self.converted(planes)
        converted[0] = quantised(converted[0], steps(Self.luma), row: phase.row % 8, column: phase.column % 8)
        for index in 1...2 {
            guard halvesChroma else {
                converted[index] = quantised(
                    converted[index], steps(Self.chroma), row: phase.row % 8, column: phase.column % 8)
                continue
            }
            let half = Self.halved(converted[index], row: phase.row % 2, column: phase.column % 2)
            let kept = quantised(half, steps(Self.chroma), row: phase.row / 2, column: phase.column / 2)
            converted[index] = Self.doubled(kept, like: converted[index], row: phase.row % 2, column: phase.column % 2)
        }
        return Self.restored(converted) { min(max($0.rounded(), 0), 255) }
    }

    /// What saving keeps however high the quality: chroma at its resolution, nothing rounded.
    func subsampled(_ planes: [Plane], phase: Phase) -> [Plane] {
        guard halvesChroma else { return planes }
        var converted = Self.converted(planes)
        for index in 1...2 {
            let half = Self.halved(converted[index], row: phase.row % 2, column: phase.column % 2)
            converted[index] = Self.doubled(half, like: converted[index], row: phase.row % 2, column: phase.column % 2)
        }
        return Self.restored(converted) { min(max($0, 0), 255) }
    }

    /// YCbCr of JFIF, in 8-bit units centred on 0.
    private static func converted(_ planes: [Plane]) -> [Plane] {
        var result = planes
        for index in planes[0].samples.indices {
            let (r, g, b) = (planes[0].samples[index], planes[1].samples[index], planes[2].samples[index])
            let y = 0.299 * r + 0.587 * g + 0.114 * b
            result[0].samples[index] = 255 * y - 128
            result[1].samples[index] = 255 * (b - y) / 1.772
            result[2].samples[index] = 255 * (r - y) / 1.402
        }
        return result
    }

    private static func restored(_ planes: [Plane], limit: (Float) -> Float) -> [Plane] {
        var result = planes
        for index in planes[0].samples.indices {
            let (y, cb, cr) = (planes[0].samples[index] + 128, planes[1].samples[index], planes[2].samples[index])
            result[0].samples[index] = limit(y + 1.402 * cr) / 255
            result[1].samples[index] = limit(y - 0.344_136 * cb - 0.714_136 * cr) / 255
            result[2].samples[index] = limit(y + 1.772 * cb) / 255
        }
        return result
    }

    /// Rounds the coefficients of every block; blocks that stick out are filled with the nearest samples.
    private func quantised(_ plane: Plane, _ steps: [Float], row: Int, column: Int) -> Plane {
        let steps = CosineBlock(steps)
        var result = plane
        var block = CosineBlock()
        for top in stride(from: -row, to: plane.height, by: 8) {
            for left in stride(from: -column, to: plane.width, by: 8) {
                for y in 0..<8 {
                    let start = min(max(top + y, 0), plane.height - 1) * plane.width
                    for x in 0..<8 {
                        block.rows[y][x] = plane.samples[start + min(max(left + x, 0), plane.width - 1)]
                    }
                }
                block.round(to: steps)
                for y in max(0, -top)..<min(8, plane.height - top) {
                    let start = (top + y) * plane.width + left
                    for x in max(0, -left)..<min(8, plane.width - left) {
                        result.samples[start + x] = block.rows[y][x]
                    }
                }
            }
        }
        return result
    }

    /// Means of 2×2 samples, the grid beginning `row` and `column` samples before the plane.
    private static func halved(_ plane: Plane, row: Int, column: Int) -> Plane {
        let width = (plane.width + column + 1) / 2
        var half = Plane(width: width, height: (plane.height + row + 1) / 2)
        for y in 0..<half.height {
            let above = max(2 * y - row, 0) * plane.width
            let below = min(2 * y - row + 1, plane.height - 1) * plane.width
            for x in 0..<width {
                let left = max(2 * x - column, 0)
                let right = min(2 * x - column + 1, plane.width - 1)
                half.samples[y * width + x] =
                    (plane.samples[above + left] + plane.samples[above + right] + plane.samples[below + left]
                        + plane.samples[below + right]) / 4
            }
        }
        return half
    }

    /// The inverse of `halved` by the triangle filter that decoders use: 3/4 of the nearest sample, 1/4 of the next.
    private static func doubled(_ half: Plane, like plane: Plane, row: Int, column: Int) -> Plane {
        var across = Plane(width: plane.width, height: half.height)
        for x in 0..<plane.width {
            let near = (x + column) / 2
            let next = min(max(near + ((x + column) & 1 == 0 ? -1 : 1), 0), half.width - 1)
            for y in 0..<half.height {
                across.samples[y * plane.width + x] =
                    0.75 * half.samples[y * half.width + near] + 0.25 * half.samples[y * half.width + next]
            }
        }
        var result = plane
        for y in 0..<plane.height {
            let near = (y + row) / 2
            let next = min(max(near + ((y + row) & 1 == 0 ? -1 : 1), 0), half.height - 1)
            for x in 0..<plane.width {
                result.samples[y * plane.width + x] =
                    0.75 * across.samples[near * plane.width + x] + 0.25 * across.samples[next * plane.width + x]
            }
        }
        return result
    }
}
