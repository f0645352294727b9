import Imaging

extension PixelBuffer {
    /// What noise is measured on: blocks spread evenly over a large photograph, or all of a small one.
    var noiseSample: PlanarImage { blocks(side: 32, most: 4096) }

    /// At most about `most` square blocks, side by side in one image; the whole image when it has no more than that.
    func blocks(side: Int, most: Int) -> PlanarImage {
        let (rows, columns) = (height / side, width / side)
        let step = max(1, Int((Double(rows * columns) / Double(most)).squareRoot().rounded(.up)))
        if step == 1 { return planar() }
        let (chosenRows, chosenColumns) = ((rows + step - 1) / step, (columns + step - 1) / step)
        var montage = PlanarImage(width: chosenColumns * side, height: chosenRows * side, channels: colourChannels)
        for row in 0..<chosenRows {
            for column in 0..<chosenColumns {
                let (y, x) = (row * step * side, column * step * side)
                let block = planar(rows: y..<y + side, columns: x..<x + side)
                montage.place(block, row: row * side, column: column * side)
            }
        }
        return montage
    }
}

extension PlanarImage {
    /// Copies `block` so that its first pixel lies at (`row`, `column`).
    mutating func place(_ block: PlanarImage, row: Int, column: Int) {
        for channel in 0..<channels {
            for line in 0..<block.height {
                let source = (channel * block.height + line) * block.width
                let target = (channel * height + row + line) * width + column
                samples.replaceSubrange(
                    target..<target + block.width, with: block.samples[source..<source + block.width])
            }
        }
    }
}
