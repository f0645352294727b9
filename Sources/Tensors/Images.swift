/// Some images of a batch.
extension Tensor {
    /// Ranges of about equally many images with at most so many pixels, or one image each.
    public func groupsOfImages(pixels: Int) -> [Range<Int>] {
        let together = min(max(1, pixels / (height * width)), max(batch, 1))
        let groups = (batch + together - 1) / together
        return (0..<groups).map { batch * $0 / groups..<batch * ($0 + 1) / groups }
    }

    /// The given images of an activation.
    public func images(_ images: Range<Int>) -> Tensor {
        if images.count == batch { return self }
        let (area, count) = (height * width, images.count * height * width)
        return Tensor([channels, images.count, height, width]) { target in
            withPointer { source in
                for c in 0..<channels {
                    (target + c * count).update(from: source + (c * batch + images.lowerBound) * area, count: count)
                }
            }
        }
    }

    mutating func replace(images: Range<Int>, with part: Tensor) {
        if images.count == batch { return self = part }
        let (channels, batch, area, count) = (channels, batch, height * width, images.count * height * width)
        withMutablePointer { target in
            part.withPointer { source in
                for c in 0..<channels {
                    (target + (c * batch + images.lowerBound) * area).update(from: source + c * count, count: count)
                }
            }
        }
    }
}
