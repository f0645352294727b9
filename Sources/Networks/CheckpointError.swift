/// Why weights could not be read or do not fit a network.
public enum CheckpointError: Error, Equatable, CustomStringConvertible {
    /// The bytes are not a valid safetensors file.
    case malformed(String)
    /// The tensors are not exactly those of the network.
    case mismatch([String])
    /// The metadata does not name a network this program knows.
    case unknownNetwork(String)

    public var description: String {
        switch self {
        case .malformed(let cause):
            "not a valid safetensors file: \(cause); download or export it again"
        case .mismatch(let faults):
            "the tensors do not fit the network: \(Self.list(faults)); use a model made for it"
        case .unknownNetwork(let cause):
            "the model's network is not known: \(cause); update denoised or use another model"
        }
    }

    private static func list(_ faults: [String]) -> String {
        let shown = faults.prefix(5).joined(separator: ", ")
        return faults.count > 5 ? "\(shown) and \(faults.count - 5) more" : shown
    }
}
