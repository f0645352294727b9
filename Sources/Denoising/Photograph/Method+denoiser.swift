import Crypto
import Foundation
import Imaging
import Methods
import Networks

extension Method {
    /// Whether it applies the weights of a model.
    public var needsModel: Bool { self != .zsn2n }

    /// The method set up for one photograph.
    ///
    /// - Parameters:
    ///   - model: nil only for methods that need none.
    ///   - noise: of the photograph.
    ///   - noiseSample: what it was measured on.
    ///   - seed: of everything random.
    /// - Throws: `ModelError` for a model that the method cannot use.
    func denoiser(
        _ options: ImageOptions, _ model: Model?, _ noise: NoiseAssessment, noiseSample: PlanarImage, seed: UInt64
    ) throws -> any TileDenoiser {
        switch self {
        case .amsnet:
            let model = try required(model)
            return model.amsnet(
                seed: seed, stride: model.stride ?? noise.stride,
                refinements: options.refinements ?? options.preset.refinements)
        case .plain:
            let model = try required(model)
            return Plain(network: model.network, weights: model.weights, stride: model.plainStride)
        case .zsn2n:
            return ZeroShot(channels: noiseSample.channels, stride: noise.independentDistance ?? 1, seed: seed)
        case .dbsn:
            let model = try required(model)
            guard let network = model.network as? BayesianDBSN else {
                throw ModelError(
                    file: model.name, cause: "its network is \(model.network.configuration.name), not dbsn",
                    remedy: "name one with --model, made by denoised train --method dbsn")
            }
            return PosteriorMean(
                network: network, weights: model.weights, stride: model.plainStride,
                sample: noiseSample.tensors(channels: 3))
        }
    }

    /// In the place of a model's hash for methods that need none: of what they learn and how, so that another version's
    /// results count as other ones.
    var hash: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys]
            let learned = try NetworkConfiguration.zsn2n(.colour).json
            let schedule = String(decoding: try encoder.encode(ZeroShot.Schedule()), as: UTF8.self)
            return SHA256.hash(data: Data("\(rawValue) 3 \(learned) \(schedule)".utf8)).hexadecimal
        }
    }

    private func required(_ model: Model?) throws(ModelError) -> Model {
        guard let model else {
            throw ModelError(
                file: "none", cause: "--method \(rawValue) needs a model", remedy: "name one with --model")
        }
        return model
    }
}

extension Model {
    /// AMSNet with this model, as it was taught.
    func amsnet(seed: UInt64, stride: Int, refinements: Int) -> AMSNet {
        AMSNet(
            network: network, weights: weights, seed: seed, stride: stride, hiddenPixels: hiddenPixels,
            usesSeenPixels: isTaughtPlain, refinements: refinements, replacement: replacement)
    }
}
