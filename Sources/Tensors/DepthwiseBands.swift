import CKernels

/// Norm → 1×1 → depthwise 3×3 in bands of a few rows, so that the wide middle stays in the second-level cache.
///
/// Restormer and NAFNet write tens of thousands of values for each pixel when every operation stores its result; that
/// traffic, not arithmetic, bounds them (spec F.1, F.2).
struct DepthwiseBands {
    /// Normalised channels to those of the depthwise convolution.
    let mixing: ChannelMixing
    /// [channels, 9].
    let taps: Tensor
    /// [channels].
    let bias: Tensor?
    /// Normalises packed pixels in place.
    let normalise: Normalisation

    typealias Normalisation = (_ panels: UnsafeMutablePointer<Float>, _ pixels: Int) -> Void

    /// Packs `pixels` pixels of a band, from `values` in its first channel on.
    typealias Packing = (_ values: UnsafePointer<Float>, _ pixels: Int, _ panels: UnsafeMutablePointer<Float>) -> Void

    /// The result for a few rows of one image, or of a strip of it.
    struct Band {
        /// [channels, rows·columns]; the consumer may overwrite it.
        let values: UnsafeMutablePointer<Float>
        let rows: Int
        let columns: Int
        /// The first pixel in a plane [batch, height, width], and the plane's width.
        let start: Int
        let width: Int

        var pixels: Int { rows * columns }

        /// Runs of pixels that follow each other in planes, too: offset in the band, offset in a plane, number.
        func forEachRun(_ body: (_ offset: Int, _ start: Int, _ pixels: Int) -> Void) {
            if columns == width { return body(0, start, pixels) }
            for row in 0..<rows { body(row * columns, start + row * width, columns) }
        }
    }

    /// Pixels of a band; with some hundred channels its buffers fill the second-level cache.
    private static let pixelsOfBand = 256
    /// Widest strip of columns.
    private static let widestStrip = 160

    /// The image in strips of columns, so many that their panels of pixels, neighbours included, leave least of the
    /// last one empty.
    private static func strips(of width: Int) -> [Range<Int>] {
        let panel = Int(kernels.mix_columns)
        func strips(_ count: Int) -> [Range<Int>] {
            (0..<count).map { $0 * width / count..<($0 + 1) * width / count }
        }
        func pixels(_ count: Int) -> Int {
            strips(count).reduce(0) { $0 + (withNeighbours($1, width).count + panel - 1) / panel * panel }
        }
        let fewest = (width + widestStrip - 1) / widestStrip
        return strips((fewest...2 * fewest).min { pixels($0) < pixels($1) } ?? fewest)
    }

    /// A strip and a column on each side, where the image has one.
    private static func withNeighbours(_ columns: Range<Int>, _ width: Int) -> Range<Int> {
        max(columns.lowerBound - 1, 0)..<min(columns.upperBound + 1, width)
    }

    /// Images narrower than this are better served operation by operation.
    static let leastWidth = 32

    /// Values of a ring that leave room for its neighbours in the second-level cache.
    private static let ringValues = 240 * 1024

    /// Ranges of `count` items, each of `channels` channels, whose rings fit the cache for planes of this width.
    static func groups(of count: Int, channelsOfEach channels: Int, width: Int) -> [Range<Int>] {
        let columns = strips(of: width).map(\.count).max() ?? width
        let ring = (max(pixelsOfBand / columns, 1) + 2) * (columns + 2 + Ring.margin)
        let groups = (count * channels * ring + ringValues - 1) / ringValues
        return (0..<groups).map { count * $0 / groups..<count * ($0 + 1) / groups }
    }

    /// Calls `consume` for every band of one image, strip by strip and from top to bottom.
    func forEachBand(of x: Tensor, image: Int, _ consume: (Band) -> Void) {
        for strip in Self.strips(of: x.width) { walk(x, image, columns: strip, consume) }
    }

    /// From top to bottom; the ring holds the rows that the next band needs, one above and one below it included.
    private func walk(_ x: Tensor, _ image: Int, columns: Range<Int>, _ consume: (Band) -> Void) {
        let rowsOfBand = min(max(Self.pixelsOfBand / columns.count, 1), x.height)
        let ring = Ring(
            channels: mixing.outputs, rows: rowsOfBand + 2,
            columns: Self.withNeighbours(columns, x.width))
        let panels = Storage(count: packedPixels(mixing.inputs, ring.columns.count))
        let values = Storage(count: mixing.outputs * rowsOfBand * columns.count)
        defer { withExtendedLifetime((ring.storage, panels, values)) {} }
        let first = image * x.height * x.width
        var next = 0
        for row in Swift.stride(from: 0, to: x.height, by: rowsOfBand) {
            let rows = min(rowsOfBand, x.height - row)
            while next < min(row + rows + 1, x.height) {
                let at = first + next * x.width + ring.columns.lowerBound
                x.withPointer {
                    kernels.pack_pixels(
                        $0 + at, x.pixels, x.channels, ring.columns.count, next + 1 < x.height ? x.width : 0,
                        panels.pointer)
                }
                normalise(panels.pointer, ring.columns.count)
                mixing.run(
                    packed: panels.pointer, pixels: ring.columns.count, into: ring.row(next), stride: ring.stride)
                next += 1
            }
            convolve(ring, rows: row..<row + rows, columns, height: x.height, into: values.pointer)
            consume(
                Band(
                    values: values.pointer, rows: rows, columns: columns.count,
                    start: first + row * x.width + columns.lowerBound, width: x.width))
        }
    }

    /// The depthwise convolution of these rows, whose neighbours are in the ring.
    private func convolve(
        _ ring: Ring, rows: Range<Int>, _ columns: Range<Int>, height: Int, into values: UnsafeMutablePointer<Float>
    ) {
        let shift = columns.lowerBound - ring.columns.lowerBound
        let offsets = (rows.lowerBound - 1...rows.upperBound).map { row -> Int in
            row < 0 || row >= height ? -1 : ring.offset(row) + shift
        }
        taps.withPointer { taps in
            withOptionalPointer(bias) {
                kernels.depthwise3x3_band(
                    ring.storage.pointer, ring.stride, offsets, rows.count, columns.count, mixing.outputs, taps, $0,
                    values, rows.count * columns.count)
            }
        }
    }
}

extension ChannelMixing {
    /// y = base + op(W)·band for the band's first `inputs` channels, or what `packing` makes of them; base and y are
    /// planes, `stride` apart.
    func run(
        _ band: DepthwiseBands.Band, packing: DepthwiseBands.Packing? = nil, adding base: UnsafePointer<Float>,
        into y: UnsafeMutablePointer<Float>, stride: Int
    ) {
        let panels = Storage(count: packedPixels(inputs, band.pixels))
        defer { withExtendedLifetime(panels) {} }
        band.forEachRun { offset, start, pixels in
            if let packing {
                packing(band.values + offset, pixels, panels.pointer)
            } else {
                kernels.pack_pixels(band.values + offset, band.pixels, inputs, pixels, 0, panels.pointer)
            }
            run(
                packed: panels.pointer, pixels: pixels, adding: base + start, baseStride: stride, into: y + start,
                stride: stride)
        }
    }
}

/// The latest rows of many channels, with zeros between them.
private struct Ring {
    let storage: Storage
    let rows: Int
    /// Columns of the image that are kept.
    let columns: Range<Int>
    let pitch: Int
    /// Distance between two channels.
    var stride: Int { rows * pitch }

    /// Zeros before each row, of which the next and the previous row read one each; with a pitch of whole vectors, rows
    /// are aligned.
    static let margin = 16

    init(channels: Int, rows: Int, columns: Range<Int>) {
        self.rows = rows
        self.columns = columns
        pitch = (columns.count + 15) / 16 * 16 + Self.margin
        storage = Storage(count: channels * rows * pitch + Self.margin)
        storage.pointer.update(repeating: 0, count: Self.margin)
        for row in 0..<channels * rows {
            let end = row * pitch + Self.margin + columns.count
            (storage.pointer + end).update(repeating: 0, count: (row + 1) * pitch + Self.margin - end)
        }
    }

    /// Where a row of the image begins in each channel.
    func offset(_ row: Int) -> Int { row % rows * pitch + Self.margin }

    func row(_ row: Int) -> UnsafeMutablePointer<Float> { storage.pointer + offset(row) }
}
