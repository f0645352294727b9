import Foundation
import Tensors

/// Weights that another program saved, by torch.save or as safetensors, under the names of our networks.
public struct ForeignCheckpoint: Sendable {
    public let configuration: NetworkConfiguration
    /// The network's tensors, not yet checked against it.
    public let tensors: [String: Tensor]
    /// What stood before every name: "module.", "net.dn.branches.0.", ….
    public let prefix: String

    /// Whether the weights were saved from within AMSNet, so that the network was taught with masks.
    public var isFromAMSNet: Bool { prefix.contains("dn.branches.0.") }

    /// What trainers put before the names of a network's own tensors; they may stand one behind the other.
    private static let prefixes = ["net.dn.branches.0.", "module.", "_orig_mod.", "net."]
    /// Buffers that say nothing which a network does not know: they may be left out.
    private static let idleBuffers = [".num_batches_tracked", ".mask"]

    /// Reads a checkpoint; of untrusted bytes nothing is executed.
    ///
    /// - Parameters:
    ///   - bytes: a torch zip archive or a safetensors file.
    ///   - configuration: the network that the weights are for; nil recognises it from names and shapes.
    ///   - noise: what a D-BSN knows of the noise, in the place of what is recognised or named.
    /// - Throws: `CheckpointError`.
    public init(
        _ bytes: [UInt8], for configuration: NetworkConfiguration? = nil, noise: BayesianDBSN.Noise? = nil
    ) throws(CheckpointError) {
        let saved =
            TorchCheckpoint.isTorch(bytes)
            ? try TorchCheckpoint(bytes).stateDictionary() : try Safetensors(Data(bytes), isConverting: true).tensors
        let (known, tensors, prefix) = try Self.named(saved, for: configuration)
        let expected = Set(known.makeNetwork().parameters.map(\.name))
        self.configuration = try noise.map { (noise) throws(CheckpointError) in try known.knowing(noise) } ?? known
        self.prefix = prefix
        self.tensors = tensors.filter { name, _ in
            expected.contains(name) || !Self.idleBuffers.contains { name.hasSuffix($0) }
        }
    }

    /// The weights, checked.
    ///
    /// - Throws: `CheckpointError.mismatch` naming every unknown, missing, misshaped or non-finite tensor.
    public func weights() throws(CheckpointError) -> (network: any Network, weights: Weights) {
        let network = configuration.makeNetwork()
        return (network, try Weights(tensors, for: network))
    }

    /// Takes prefixes off until the names are those of a network.
    private static func named(
        _ saved: [String: Tensor], for configuration: NetworkConfiguration?
    ) throws(CheckpointError) -> (NetworkConfiguration, [String: Tensor], prefix: String) {
        let expected = configuration.map { Set($0.makeNetwork().parameters.map(\.name)) }
        var (tensors, prefix) = (saved, "")
        while true {
            if let configuration, let expected {
                if tensors.keys.contains(where: expected.contains) { return (configuration, tensors, prefix) }
            } else if let known = NetworkConfiguration.recognised(from: tensors.mapValues(\.shape)) {
                return (known, tensors, prefix)
            }
            guard let next = prefixes.first(where: { next in tensors.keys.allSatisfy { $0.hasPrefix(next) } }),
                !tensors.isEmpty
            else {
                // Loading will say what does not fit the network that was named.
                if let configuration { return (configuration, saved, "") }
                throw .unrecognised(saved.keys.sorted())
            }
            prefix += next
            tensors = Dictionary(uniqueKeysWithValues: tensors.map { (String($0.dropFirst(next.count)), $1) })
        }
    }
}
