/// The mean of each value's square neighbourhood, cut off at the borders; without gradient.
///
/// - Parameters:
///   - x: [C, batch, height, width].
///   - radius: pixels to each side, so that windows hold (2·radius + 1)² values.
public func boxMean(_ x: Tensor, radius: Int) -> Tensor {
    let (height, width) = (x.height, x.width)
    var result = x
    result.withMutablePointer { values in
        var sums = [Float](repeating: 0, count: max(height, width) + 1)
        for plane in 0..<x.count / (height * width) {
            let first = values + plane * height * width
            for row in 0..<height { average(first + row * width, count: width, step: 1, radius, &sums) }
            for column in 0..<width { average(first + column, count: height, step: width, radius, &sums) }
        }
    }
    return result
}

/// Replaces each value of a line by the mean of those within the radius.
private func average(
    _ values: UnsafeMutablePointer<Float>, count: Int, step: Int, _ radius: Int, _ sums: inout [Float]
) {
    // Sums of a line start anew, so that their rounding stays far below the values.
    for i in 0..<count { sums[i + 1] = sums[i] + values[i * step] }
    for i in 0..<count {
        let (low, high) = (max(0, i - radius), min(count, i + radius + 1))
        values[i * step] = (sums[high] - sums[low]) / Float(high - low)
    }
}
