import Tensors
import Testing

/// The images of an activation as a test argument: odd sizes, several images, single pixels.
struct Planes: Sendable, CustomTestStringConvertible {
    let batch: Int, height: Int, width: Int

    var testDescription: String { "\(batch) of \(height)×\(width)" }

    static let all = [(1, 1, 1), (2, 1, 1), (1, 5, 3), (2, 3, 7), (3, 1, 4)].map {
        Planes(batch: $0.0, height: $0.1, width: $0.2)
    }
    /// More pixels than a band of the convolutions holds, in bands that split an image.
    static let manyBands = Planes(batch: 2, height: 37, width: 61)

    /// Uniform values for an activation of so many channels.
    func activation(_ channels: Int, seed: UInt64, in range: ClosedRange<Float> = -1...1) -> Tensor {
        random([channels, batch, height, width], seed: seed, in: range)
    }

    /// Zeros and ones, half of each on average.
    func mask(seed: UInt64) -> Tensor {
        Tensor([1, batch, height, width], uniform(batch * height * width, seed: seed).map { $0 < 0 ? 0 : 1 })
    }
}

func random(_ shape: [Int], seed: UInt64, in range: ClosedRange<Float> = -1...1) -> Tensor {
    Tensor(shape, uniform(shape.reduce(1, *), seed: seed, in: range))
}

/// An activation in doubles, zero outside of its images: what naive references read.
struct Reference {
    let shape: [Int]
    let values: [Double]

    init(_ tensor: Tensor) {
        shape = tensor.shape
        values = tensor.values.doubles
    }

    /// An activation given element by element.
    init(_ shape: [Int], _ element: (_ channel: Int, _ image: Int, _ row: Int, _ column: Int) -> Double) {
        self.shape = shape
        values = Self.values(shape, element)
    }

    subscript(_ channel: Int, _ image: Int, _ row: Int, _ column: Int) -> Double {
        guard (0..<shape[2]).contains(row), (0..<shape[3]).contains(column) else { return 0 }
        return values[((channel * shape[1] + image) * shape[2] + row) * shape[3] + column]
    }

    /// All channels of one pixel.
    func pixel(_ image: Int, _ row: Int, _ column: Int) -> [Double] {
        (0..<shape[0]).map { self[$0, image, row, column] }
    }

    /// The values of an activation given element by element.
    static func values(
        _ shape: [Int], _ element: (_ channel: Int, _ image: Int, _ row: Int, _ column: Int) -> Double
    ) -> [Double] {
        var values: [Double] = []
        for c in 0..<shape[0] {
            for b in 0..<shape[1] {
                for y in 0..<shape[2] { for x in 0..<shape[3] { values.append(element(c, b, y, x)) } }
            }
        }
        return values
    }
}
