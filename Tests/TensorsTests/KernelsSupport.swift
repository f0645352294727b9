import CKernels
import Testing

/// One instruction set's kernels as a test argument.
struct KernelTable: Sendable, CustomTestStringConvertible {
    let index: Int32

    var kernels: dn_kernels { dn_kernel_table(index)!.pointee }
    var testDescription: String { String(cString: kernels.name) }

    /// By how much a sum of so many products of values in [−1, 1] may be off. In single precision, whose errors follow
    /// each other, 2⁻²³ for each term; coarser products err independently, so that the root of their number counts.
    func sumError(_ terms: Int) -> Double {
        let coarse = Double(kernels.product_error) > 0x1p-24 ? 4 * Double(terms).squareRoot() : 0
        return Double(terms + 16) * 0x1p-23 + coarse * Double(kernels.product_error)
    }

    /// Every table that this machine can run.
    static let all: [KernelTable] = (0...).lazy.prefix { dn_kernel_table($0) != nil }.map(KernelTable.init)
}

/// Numbers of values below, at and above every vector width and its multiples.
let oddCounts = [1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 129, 257, 1000]

/// Memory between guard values. A kernel that reads past its input meets a NaN, one that writes past its output leaves
/// a trace. The first value lies `offset` values behind an allocation's start, so that vectors are not aligned.
/// Memory is freed with its owner: bind it to a name that outlives the call.
final class Guarded {
    private static let border = 80
    private static let mark: UInt32 = 0x7fc0_dead

    let count: Int
    let start: UnsafeMutablePointer<Float>
    private let memory: UnsafeMutableBufferPointer<Float>

    init(_ values: [Float], offset: Int = 1) {
        count = values.count
        memory = .allocate(capacity: Self.border * 2 + count + offset)
        memory.initialize(repeating: Float(bitPattern: Self.mark))
        start = memory.baseAddress! + Self.border + offset
        for (i, value) in values.enumerated() { start[i] = value }
    }

    /// An output that holds the guard value everywhere.
    convenience init(count: Int, offset: Int = 3) {
        self.init(Array(repeating: Float(bitPattern: Self.mark), count: count), offset: offset)
    }

    deinit { memory.deallocate() }

    var values: [Float] { (0..<count).map { start[$0] } }

    /// Whether nothing outside of the values, nor in these ranges of them, was written.
    func isIntact(outside written: [Range<Int>]? = nil) -> Bool {
        let first = start - memory.baseAddress!
        var mayDiffer = Array(repeating: false, count: memory.count)
        for range in written ?? [0..<count] {
            for i in range { mayDiffer[first + i] = true }
        }
        return memory.indices.allSatisfy { mayDiffer[$0] || memory[$0].bitPattern == Self.mark }
    }
}

/// Uniform values that depend on the seed alone.
func uniform(_ count: Int, seed: UInt64, in range: ClosedRange<Float> = -1...1) -> [Float] {
    var state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
    return (0..<count).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return range.lowerBound + (range.upperBound - range.lowerBound) * Float(state >> 40) / 16_777_216
    }
}

/// The largest |a − b| / max(1, |b|); infinite where a value is not a number.
func deviation(_ actual: [Float], _ expected: [Double]) -> Double {
    precondition(actual.count == expected.count)
    return zip(actual, expected).reduce(0) { worst, pair in
        let difference = abs(Double(pair.0) - pair.1) / max(1, abs(pair.1))
        return max(worst, difference.isNaN ? .infinity : difference)
    }
}

/// The central difference of a function of one number. In doubles with this step it is good to about 1e-9.
func slope(at x: Double, _ function: (Double) -> Double) -> Double {
    let step = 1e-5
    return (function(x + step) - function(x - step)) / (2 * step)
}

extension [Float] {
    var doubles: [Double] { map(Double.init) }
}
