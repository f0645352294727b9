import CKernels

/// A plane without its noise, by block matching and filtering in three dimensions (BM3D; Dabov, Foi, Katkovnik and
/// Egiazarian 2007); without gradient. The same at any number of threads.
///
/// Blocks of 8×8 samples that look alike are stacked and transformed, by cosines within the blocks and by Walsh's
/// functions across them. What they share falls into few coefficients and noise into all, so that small ones may go (first
/// step); then each coefficient is weighed by the power that the first step found there (second step). Every block
/// returns to its place, with the more weight the less noise its stack kept.
///
/// - Parameters:
///   - plane: [1, 1, height, width].
///   - deviations: of the noise, taken for white, in the plane's units: [1, 1, ⌈height/4⌉, ⌈width/4⌉].
/// - Returns: the plane itself where it is smaller than a block.
public func blockMatched(_ plane: Tensor, deviations: Tensor, threads: Int) throws -> Tensor {
    guard min(plane.width, plane.height) >= BlockBand.side else { return plane }
    let first = try blockStep(plane, matching: plane, isFirst: true, deviations, threads)
    return try blockStep(plane, matching: first, isFirst: false, deviations, threads)
}

/// Rows of reference blocks that make one piece of work.
private struct BlockBand {
    static let side = Int(DN_BLOCK_SIDE)
    static let step = Int(DN_BLOCK_STEP)
    private static let reach = Int(DN_BLOCK_REACH)
    private static let rowsOfBlocks = 8

    let starts: [Int]
    /// Rows that their blocks may lie in.
    let rows: Range<Int>

    private init(_ starts: ArraySlice<Int>, height: Int) {
        self.starts = Array(starts)
        let (first, last) = (starts[starts.startIndex], starts[starts.endIndex - 1])
        rows = max(first - Self.reach, 0)..<min(last + Self.reach + Self.side, height)
    }

    /// All of a plane: a reference block begins every `step` rows, and one ends with the plane.
    static func all(height: Int) -> [BlockBand] {
        var starts = Array(Swift.stride(from: 0, through: height - side, by: step))
        if starts.last != height - side { starts.append(height - side) }
        return Swift.stride(from: 0, to: starts.count, by: rowsOfBlocks).map {
            BlockBand(starts[$0..<min($0 + rowsOfBlocks, starts.count)], height: height)
        }
    }
}

/// - Parameter guide: what blocks are compared in, and in the second step what their power is read from.
private func blockStep(
    _ plane: Tensor, matching guide: Tensor, isFirst: Bool, _ deviations: Tensor, _ threads: Int
) throws -> Tensor {
    let (height, width) = (plane.height, plane.width)
    let bands = BlockBand.all(height: height)
    let filtered = try parallelMap(bands.count, threads: threads) { index in
        let band = bands[index]
        // The blocks' weighted sum, then their weights.
        var sums = Tensor([2, 1, band.rows.count, width])
        sums.withMutablePointer { sums in
            plane.withPointer { x in
                guide.withPointer { guide in
                    deviations.withPointer { noise in
                        for row in band.starts {
                            kernels.filter_block_row(
                                x, isFirst ? nil : guide, height, width, row,
                                noise + row / BlockBand.step * deviations.width, band.rows.lowerBound, sums,
                                sums + band.rows.count * width)
                        }
                    }
                }
            }
        }
        return sums
    }
    var sums = Tensor([1, 1, height, width])
    var weights = sums
    for (band, part) in zip(bands, filtered) {
        let (start, count) = (band.rows.lowerBound * width, band.rows.count * width)
        part.withPointer { part in
            sums.withMutablePointer { kernels.add($0 + start, part, $0 + start, count) }
            weights.withMutablePointer { kernels.add($0 + start, part + count, $0 + start, count) }
        }
    }
    return Tensor([1, 1, height, width]) { result in
        sums.withPointer { sums in
            weights.withPointer { weights in
                for p in 0..<height * width { result[p] = sums[p] / weights[p] }
            }
        }
    }
}
