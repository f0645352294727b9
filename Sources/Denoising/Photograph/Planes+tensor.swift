import Imaging
import Methods
import Tensors

extension Tensor {
    /// [3, 1, height, width]; grey is repeated in all three channels.
    init(colour image: PlanarImage) {
        let samples = image.channels == 1 ? image.samples + image.samples + image.samples : image.samples
        self.init([3, 1, image.height, image.width], samples)
    }

    /// [channels, 1, height, width], of 3 or as many as the image has.
    init(_ image: PlanarImage, channels: Int) {
        if channels == image.channels {
            self.init([channels, 1, image.height, image.width], image.samples)
        } else {
            self.init(colour: image)
        }
    }

    /// The planes of [channels, 1, height, width]; for one channel the mean of three.
    func planarImage(channels: Int) -> PlanarImage {
        let samples = values
        if channels == shape[0] {
            return PlanarImage(width: width, height: height, channels: channels, samples: samples)
        }
        let plane = height * width
        let grey = (0..<plane).map { (samples[$0] + samples[plane + $0] + samples[2 * plane + $0]) / 3 }
        return PlanarImage(width: width, height: height, channels: 1, samples: grey)
    }
}

extension PlanarImage {
    /// Replaces a share of this image by `other`, of the same size.
    mutating func blend(_ other: PlanarImage, share: Float) {
        for index in samples.indices { samples[index] += share * (other.samples[index] - samples[index]) }
    }
}

extension PlanarImage {
    /// The image for methods that measure it, with 3 planes or as many as there are.
    func tensors(channels: Int) -> PhotographPixels {
        PhotographPixels(height: height, width: width) { rows, columns in
            let place = Tile(x: columns.lowerBound, y: rows.lowerBound, width: columns.count, height: rows.count)
            return Tensor(cropped(to: place), channels: channels)
        }
    }
}

extension PixelBuffer {
    /// The colour of the part of a tile that lies in the photograph.
    func planar(inside tile: Tile) -> PlanarImage {
        planar(rows: tile.y..<min(tile.y + tile.height, height), columns: tile.x..<min(tile.x + tile.width, width))
    }

    /// The colour for methods that learn from it, with 3 planes or as many as there are.
    func tensors(channels: Int) -> PhotographPixels {
        PhotographPixels(height: height, width: width) { rows, columns in
            Tensor(planar(rows: rows, columns: columns), channels: channels)
        }
    }

    /// Mean of each colour channel in units of 1/255, from at most 256 rows.
    var channelMeans: [Double] {
        var sums = [Double](repeating: 0, count: colourChannels)
        let rows = Swift.stride(from: 0, to: height, by: max(1, height / 256))
        for row in rows {
            let planes = planar(rows: row..<row + 1, columns: 0..<width)
            for channel in 0..<colourChannels {
                sums[channel] += Double(planes.samples[channel * width..<(channel + 1) * width].reduce(0, +))
            }
        }
        let count = Double(rows.underestimatedCount * width)
        return sums.map { 255 * $0 / count }
    }
}
