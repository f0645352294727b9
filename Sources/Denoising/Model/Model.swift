import Crypto
import Foundation
import Imaging
import Methods
import Networks
import SystemPackage
import Tensors

/// A network with its weights and what is known of them: one safetensors file.
public struct Model: Sendable {
    public let network: any Network
    public let weights: Weights
    /// The file's name without extension.
    public let name: String
    /// SHA-256 of the file, lowercase hexadecimal.
    public let hash: String
    /// Free text: `variant`, `data`, `licence`, `steps`, … beside the network's configuration.
    public let metadata: [String: String]

    /// Reads a model file.
    ///
    /// - Throws: `ModelError` naming the file, the cause and what to do.
    public init(contentsOf path: FilePath) throws(ModelError) {
        let file = ImagingError.display(path)
        do {
            let bytes = Data(try FileContents(path).bytes)
            let content = try Safetensors(bytes)
            network = try Self.configuration(content.metadata).makeNetwork()
            weights = try Weights(content.tensors, for: network)
            name = path.stem ?? file
            hash = SHA256.hash(data: bytes).hexadecimal
            metadata = content.metadata
        } catch let error as ImagingError {
            throw ModelError(file: file, cause: error.cause, remedy: error.remedy)
        } catch let error as CheckpointError {
            throw ModelError(file: file, cause: error.description, remedy: nil)
        } catch {
            throw ModelError(file: file, cause: "\(error)", remedy: "check the file")
        }
    }

    /// What the network was taught to find in the place of hidden pixels; published networks know zeros.
    public var hiddenPixels: HiddenPixels { metadata["hidden_pixels"].flatMap(HiddenPixels.init) ?? .zero }

    /// Stride of pixel downsampling in AMSNet's first stage, where the model was taught for one; published models leave
    /// it to the photograph's noise.
    public var stride: Int? { strideNamed("stride") }

    /// Stride of pixel downsampling for `plain`: 1, unless the model was taught on sub-images alone.
    public var plainStride: Int { strideNamed("plain_stride") ?? 1 }

    /// Whether masked training was joined by training with nothing hidden, so that one plain pass serves `fast`.
    public var isTaughtPlain: Bool { metadata["plain_stride"] != nil }

    private func strideNamed(_ key: String) -> Int? { metadata[key].flatMap(Int.init).map { min(max($0, 1), 8) } }

    /// Share of noisy pixels that a refinement copy puts back: 0.16 as published, unless the model was taught
    /// otherwise.
    public var replacement: Double {
        metadata["replacement"].flatMap(Double.init).map { min(max($0, 0), 1) } ?? AMSNet.publishedReplacement
    }

    private static func configuration(_ metadata: [String: String]) throws -> NetworkConfiguration {
        guard let text = metadata["network"] else {
            throw CheckpointError.unknownNetwork("its metadata lack the key network")
        }
        do {
            return try JSONDecoder().decode(NetworkConfiguration.self, from: Data(text.utf8))
        } catch {
            throw CheckpointError.unknownNetwork(text)
        }
    }

    /// Metadata that `write` adds.
    enum Key {
        static let weights = "weights_sha256"
        static let selfTest = "self_test"
    }

    /// Writes weights as a model file with what `ModelVerification` needs, durably.
    ///
    /// - Parameter replacing: whether an older file may go, once the new one is durable; otherwise it is an error.
    public static func write(
        _ weights: Weights, of network: any Network, metadata: [String: String], to path: FilePath,
        replacing: Bool = true
    ) throws {
        var metadata = metadata
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        metadata["network"] = try network.configuration.json
        metadata[Key.weights] = weights.digest
        metadata[Key.selfTest] = try SelfTest(of: network, weights)
            .map { String(decoding: try encoder.encode($0), as: UTF8.self) }
        let bytes = try Safetensors(tensors: weights.tensors, metadata: metadata).encoded()
        if replacing { return try StagedFile.replace(path, with: bytes) }
        let file = try StagedFile(path)
        try file.write([UInt8](bytes))
        _ = try file.finish()
    }
}

extension NetworkConfiguration {
    /// As stored in model files; keys are sorted, so that equal configurations are equal text.
    var json: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys]
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }
}

/// Why a model cannot be used.
public struct ModelError: Error, Sendable, Equatable, CustomStringConvertible {
    public let file: String
    public let cause: String
    public let remedy: String?

    public init(file: String, cause: String, remedy: String?) {
        self.file = file
        self.cause = cause
        self.remedy = remedy
    }

    public var description: String {
        "cannot use model \(file): \(cause)" + (remedy.map { "; \($0)" } ?? "")
    }
}
