import Crypto
import Foundation
import Networks
import Tensors

/// Whether a model is still what was written, and computes here what it computed there.
///
/// That every weight is finite and every tensor has its shape is proven by reading the model at all.
public struct ModelVerification: Sendable {
    /// Whether the weights have the digest that was recorded with them; nil where none was.
    public let weightsMatch: Bool?
    /// Largest difference from the recorded outputs; nil where none were recorded.
    public let deviation: Float?
    /// What `deviation` may be.
    public static let tolerance = SelfTest.tolerance

    public init(of model: Model) {
        weightsMatch = model.metadata[Model.Key.weights].map { $0 == model.weights.digest }
        deviation = model.metadata[Model.Key.selfTest].map { text in
            SelfTest(json: text, for: model.network)?.deviation(of: model.network, model.weights) ?? .infinity
        }
    }

    /// Whether nothing that was recorded is contradicted.
    public var isSound: Bool { weightsMatch != false && (deviation ?? 0) <= Self.tolerance }
}

extension Weights {
    /// SHA-256 of names, shapes and values, in the order of names; lowercase hexadecimal.
    var digest: String {
        var hash = SHA256()
        for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
            hash.update(data: Data("\(name) \(tensor.shape)\n".utf8))
            tensor.withPointer { pointer in
                let values = UnsafeBufferPointer(start: pointer, count: tensor.count)
                hash.update(bufferPointer: UnsafeRawBufferPointer(values))
            }
        }
        return hash.finalize().hexadecimal
    }
}
