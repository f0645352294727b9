import CKernels

/// Puts a weighted mean of visible neighbours into hidden pixels.
///
/// The eight nearest count, diagonal ones half; where none of them is visible, the means of their neighbourhoods; where
/// those see nothing either, 0 stays.
///
/// - Parameters:
///   - x: [C, batch, height, width], 0 at hidden pixels.
///   - visible: [1, batch, height, width] of zeros and ones.
public func filled(_ x: Tensor, visible: Tensor) -> Tensor {
    let (channels, pixels) = (x.channels, x.pixels)
    let (near, far) = neighbourhoods(visible)
    let (nearSums, farSums) = neighbourhoods(x)
    var result = x
    result.withMutablePointer { y in
        withPointers(visible, near, far) { m, near, far in
            nearSums.withPointer { nearSums in
                farSums.withPointer { farSums in
                    for c in 0..<channels {
                        for p in 0..<pixels where m[p] == 0 {
                            let index = c * pixels + p
                            if near[p] > 0 {
                                y[index] = nearSums[index] / near[p]
                            } else if far[p] > 0 {
                                y[index] = farSums[index] / far[p]
                            }
                        }
                    }
                }
            }
        }
    }
    return result
}

/// Sums over each pixel's eight neighbours, and sums of those sums.
private func neighbourhoods(_ x: Tensor) -> (near: Tensor, far: Tensor) {
    let near = neighbourSums(x)
    return (near, neighbourSums(near))
}

/// Every plane's sum over the eight neighbours, diagonal ones half; outside of the image counts as 0.
private func neighbourSums(_ x: Tensor) -> Tensor {
    let taps: [Float] = [0.5, 1, 0.5, 1, 0, 1, 0.5, 1, 0.5]
    let area = x.height * x.width
    return Tensor(x.shape) { y in
        x.withPointer { x_ in
            for plane in 0..<x.channels * x.batch {
                kernels.depthwise3x3(x_ + plane * area, x.height, x.width, 0, x.height, taps, 0, y + plane * area)
            }
        }
    }
}
