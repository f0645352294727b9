import Foundation
import Networks
import Tensors

/// Some values of a network's output for an input that everyone can draw again: proof that a model computes here what
/// it computed where it was written.
struct SelfTest: Codable, Equatable {
    /// Names the input's uniform values.
    let seed: UInt64
    /// Height and width of the input, [3, 1, side, side] in [0, 1).
    let side: Int
    /// Outputs at evenly spaced indices, first and last included.
    let values: [Float]

    /// Kernels sum in different orders on different processors, which changed the outputs of the published networks by
    /// 2e-7 where it was measured; fast convolutions and products by matrix tiles may round a hundred times as much.
    static let tolerance: Float = 2e-4

    private static let count = 24

    /// - Returns: nil when the network's output is not finite.
    init?(of network: any Network, _ weights: Weights, seed: UInt64 = 1) {
        let multiple = network.tiling.multiple
        self.seed = seed
        side = (max(32, multiple) + multiple - 1) / multiple * multiple
        values = Self.values(of: network, weights, side: side, seed: seed)
        guard values.allSatisfy(\.isFinite) else { return nil }
    }

    /// The largest difference from the recorded values, as a share of the largest of them where that exceeds 1.
    func deviation(of network: any Network, _ weights: Weights) -> Float {
        let outputs = Self.values(of: network, weights, side: side, seed: seed)
        let scale = max(1, values.map(abs).max() ?? 1)
        let differences = zip(values, outputs).map { abs($0 - $1) / scale }
        return differences.contains(where: \.isNaN) ? .infinity : differences.max() ?? .infinity
    }

    /// What a model file says; nil if it says nothing that could have been written here.
    init?(json: String, for network: any Network) {
        guard let read = try? JSONDecoder().decode(SelfTest.self, from: Data(json.utf8)),
            (1...1024).contains(read.side), read.side % network.tiling.multiple == 0, read.values.count == Self.count
        else { return nil }
        self = read
    }

    private static func values(of network: any Network, _ weights: Weights, side: Int, seed: UInt64) -> [Float] {
        var random = RandomSource(seed: seed)
        let input = Tensor([3, 1, side, side], (0..<3 * side * side).map { _ in random.uniform() })
        let output = network.infer(input, weights).values
        return (0..<count).map { output[$0 * (output.count - 1) / (count - 1)] }
    }
}
