import Crypto
import Foundation
import Imaging
import Methods
import Networks
import SystemPackage

/// Weights of another program, checked and ready to be written as a model file.
public struct ModelImport: Sendable {
    /// How a network was taught, which decides how it is used.
    public enum Variant: String, Sendable, CaseIterable {
        /// AMSNet's masked stage, and the one after it.
        case masked = "B"
        case transfer = "P"
        /// On pairs of noisy and clean photographs, or by a teacher: for `--method plain`.
        case plain
        /// Blind-spot training of AP-BSN's kind, for the same.
        case blindSpot = "blind-spot"
        /// D-BSN's three stages, for `--method dbsn`.
        case dbsn
    }

    public let network: any Network
    public let weights: Weights
    /// What stood before every name in the checkpoint.
    public let prefix: String
    /// What the checkpoint's names say of its training; published AMSNet weights went through both stages.
    public let likelyVariant: Variant
    /// The checkpoint's file name without folders.
    public let source: String
    /// SHA-256 of the checkpoint, lowercase hexadecimal.
    public let sourceHash: String

    /// Reads a checkpoint as data: a torch zip archive (.ckpt, .pth, .pt) or a safetensors file.
    ///
    /// - Parameters:
    ///   - configuration: the network that it is for; nil recognises it.
    ///   - noise: what a D-BSN knows of the noise. Its tensors are the same for `awgn` and `heteroscedastic`, which is
    ///     what nil takes.
    /// - Throws: `ModelError` naming the file, the cause and what to do.
    public init(
        contentsOf path: FilePath, as configuration: NetworkConfiguration? = nil, noise: BayesianDBSN.Noise? = nil
    ) throws(ModelError) {
        let file = ImagingError.display(path)
        do {
            let bytes = try FileContents(path, limits: DecodingLimits(followsLinks: true)).bytes
            let checkpoint = try ForeignCheckpoint(bytes, for: configuration, noise: noise)
            (network, weights) = try checkpoint.weights()
            prefix = checkpoint.prefix
            likelyVariant = checkpoint.isFromAMSNet ? .transfer : network is BayesianDBSN ? .dbsn : .plain
            source = path.lastComponent?.string ?? file
            sourceHash = bytes.withUnsafeBytes { SHA256.hash(data: $0) }.hexadecimal
        } catch let error as ImagingError {
            throw ModelError(file: file, cause: error.cause, remedy: error.remedy)
        } catch {
            throw ModelError(file: file, cause: "\(error)", remedy: nil)
        }
    }

    /// Writes the model file durably.
    ///
    /// - Parameters:
    ///   - hiddenPixels: what the network was given in their place; zeros in the published ones (spec A.2).
    ///   - replacing: whether a file of that name may go.
    ///   - metadata: more to say about the weights, such as `licence`.
    public func write(
        to path: FilePath, variant: Variant? = nil, hiddenPixels: HiddenPixels = .zero,
        metadata: [String: String] = [:], replacing: Bool = false
    ) throws {
        var metadata = metadata
        let variant = variant ?? likelyVariant
        metadata["variant"] = variant.rawValue
        metadata["source"] = source
        metadata["source_sha256"] = sourceHash
        if let network = network as? BayesianDBSN { metadata["noise_model"] = network.noiseModel.rawValue }
        switch variant {
        case .plain, .dbsn: break
        case .blindSpot:
            // As AP-BSN: taught at stride 5, used at 2.
            metadata["plain_stride"] = "2"
        case .masked, .transfer:
            // As in the published configurations (spec A.6 and A.8).
            metadata["hidden_pixels"] = hiddenPixels.rawValue
            metadata["replacement"] = "0.16"
        }
        try Model.write(weights, of: network, metadata: metadata, to: path, replacing: replacing)
    }
}
