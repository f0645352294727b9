/// Which sides of an image change places.
public struct Mirroring: Sendable, Hashable {
    /// Left and right.
    public let across: Bool
    /// Top and bottom.
    public let down: Bool

    /// - Parameter index: any number; 0 is the image as it is, and four in a row are all different.
    public init(_ index: Int) { (across, down) = (index & 1 != 0, index & 2 != 0) }
}

extension Tensor {
    /// Every image of an activation mirrored; the same mirroring takes it back.
    public func mirrored(_ mirroring: Mirroring) -> Tensor {
        if mirroring == Mirroring(0) { return self }
        let (height, width, rows) = (height, width, count / width)
        return Tensor(shape) { target in
            withPointer { source in
                for row in 0..<rows {
                    let other = mirroring.down ? row / height * height + height - 1 - row % height : row
                    let (from, to) = (source + other * width, target + row * width)
                    if mirroring.across {
                        for column in 0..<width { to[column] = from[width - 1 - column] }
                    } else {
                        to.update(from: from, count: width)
                    }
                }
            }
        }
    }
}
