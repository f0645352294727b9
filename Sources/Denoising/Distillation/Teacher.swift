import Methods
import Networks
import Tensors

/// A model that a student learns from.
public struct Teacher: Sendable {
    private let model: Model

    public init(_ model: Model) { self.model = model }

    /// For the student's metadata.
    public var description: String { "\(model.name) \(model.hash)" }

    /// What the teacher makes of a noisy crop: of AMSNet three predictions that differ in what they hide, of others
    /// one.
    ///
    /// - Parameters:
    ///   - noisy: [3, 1, height, width] in [0, 1], any size.
    ///   - seed: of masks and strides.
    /// - Returns: at least one image of the same shape, not clamped.
    func predictions(of noisy: Tensor, seed: UInt64) throws -> [Tensor] {
        if let dbsn { return [dbsn.denoise(noisy)] }
        guard model.isMasked else {
            return [Plain(network: model.network, weights: model.weights, stride: model.plainStride).denoise(noisy)]
        }
        return try AMSNetVariation.drawn(for: model, seed: seed).enumerated().map { index, variation in
            try model.amsnet(
                seed: RandomSource.mix(seed, UInt64(index)), stride: variation.stride,
                refinements: variation.refinements
            ).denoise(noisy)
        }
    }

    /// A clean crop under the noise that the teacher has learned; nil where it says nothing of noise.
    func noisy(_ clean: Tensor, seed: UInt64) -> Tensor? { dbsn?.noisy(clean, seed: seed) }

    private var dbsn: PosteriorMean? {
        (model.network as? BayesianDBSN).map {
            PosteriorMean(network: $0, weights: model.weights, stride: model.plainStride)
        }
    }
}

/// Stride and refinement of one of AMSNet's predictions; its masks are its own.
struct AMSNetVariation: Equatable {
    let stride: Int
    let refinements: Int

    /// As the model is used, at a stride of 1 to 5 (spec G.2), and refined. The student's loss, an absolute error,
    /// heeds the median of the three: a stride that loses detail is outvoted where the other two see it.
    static func drawn(for model: Model, seed: UInt64) -> [AMSNetVariation] {
        var random = RandomSource(seed: RandomSource.mix(seed, 0x57))
        let usual = model.stride ?? 2
        return [
            AMSNetVariation(stride: usual, refinements: 0),
            AMSNetVariation(stride: 1 + random.index(below: 5), refinements: 0),
            AMSNetVariation(stride: usual, refinements: 2),
        ]
    }
}

extension Model {
    /// Whether the network was taught with masks, as AMSNet needs it.
    var isMasked: Bool {
        let others: [ModelImport.Variant] = [.plain, .blindSpot, .dbsn]
        return !others.contains { $0.rawValue == metadata["variant"] }
    }
}
