import Tensors

/// Both images that the complementary passes of a multi-mask block make.
///
/// Each pass estimates all pixels: those hidden from it, of which AMSNet makes its output, and those that it saw. A
/// network that was taught plain passes as well knows what to do with the latter.
struct MaskedEstimate: Sendable {
    /// Each pixel from the pass that did not see it: MMDB's output (spec A.3). [3, 1, height, width].
    let hidden: Tensor
    /// Each pixel from the pass that saw it; nil where that does not count.
    let seen: Tensor?

    /// Pixels to each side of the windows in which both are compared: 9×9.
    private static let radius = 4

    /// One image of both, or the hidden one alone: seen + ½·min(1, e(y − seen)/e(hidden − seen))·(hidden − seen), where
    /// e is the mean square of luma in a window.
    ///
    /// Where there is noise alone, both err differently and their mean errs less. Where there is detail that no
    /// neighbour tells of, the hidden estimate is far from the seen one, further than that is from the noisy image, and
    /// must not take away what the network saw and kept.
    ///
    /// - Parameter noisy: what both were made of, y.
    func joined(for noisy: Tensor) -> Tensor {
        guard let seen else { return hidden }
        let taken = boxMean(squaredLumaDifference(noisy, seen), radius: Self.radius).values
        let apart = boxMean(squaredLumaDifference(hidden, seen), radius: Self.radius).values
        let hidden = hidden.values
        var joined = seen
        joined.withMutablePointer { values in
            for index in 0..<hidden.count {
                let pixel = index % taken.count
                // Rounding of windowed sums may leave less than nothing.
                let share = 0.5 * min(1, max(taken[pixel], 0) / max(apart[pixel], 1e-12))
                values[index] += share * (hidden[index] - values[index])
            }
        }
        return joined
    }

    /// The elementwise mean of several.
    static func mean(_ estimates: [MaskedEstimate]) -> MaskedEstimate {
        let seen = estimates.compactMap(\.seen)
        return MaskedEstimate(
            hidden: Tensors.mean(estimates.map(\.hidden)), seen: seen.isEmpty ? nil : Tensors.mean(seen))
    }
}

/// Of two [3, 1, height, width]: [1, 1, height, width].
private func squaredLumaDifference(_ a: Tensor, _ b: Tensor) -> Tensor {
    Tensor([1, 1, a.height, a.width]) { result in
        let count = a.pixels
        a.withPointer { a in
            b.withPointer { b in
                for p in 0..<count {
                    let (red, green) = (a[p] - b[p], a[p + count] - b[p + count])
                    let difference = 0.299 * red + 0.587 * green + 0.114 * (a[p + 2 * count] - b[p + 2 * count])
                    result[p] = difference * difference
                }
            }
        }
    }
}
