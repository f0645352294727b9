/// Why weights could not be read or do not fit a network.
public enum CheckpointError: Error, Equatable, CustomStringConvertible {
    /// The bytes are not a valid safetensors file.
    case malformed(String)
    /// The bytes are not a valid torch checkpoint.
    case archive(String)
    /// A torch checkpoint calls for code by this name.
    case forbidden(String)
    /// A torch checkpoint of before version 1.6, which is no zip archive.
    case legacy
    /// A checkpoint holds no dictionary of tensors.
    case noWeights(String)
    /// The tensors are not exactly those of the network.
    case mismatch([String])
    /// The tensors of a checkpoint, by name, are those of no network this program knows.
    case unrecognised([String])
    /// The metadata does not name a network this program knows.
    case unknownNetwork(String)

    public var description: String {
        let text =
            switch self {
            case .malformed(let cause):
                "not a valid safetensors file: \(cause); download or export it again"
            case .archive(let cause):
                "not a valid torch checkpoint: \(cause); download it again, or save it again with torch.save"
            case .forbidden(let name):
                "it calls for \(name), which weights never need, and nothing was run; save the state_dict alone"
            case .legacy:
                "it is in the format of before torch 1.6; convert it: python3 -c \"import torch; "
                    + "torch.save(torch.load('OLD', map_location='cpu', weights_only=True), 'NEW')\""
            case .noWeights(let cause):
                "it holds no weights: \(cause); save the state_dict"
            case .mismatch(let faults):
                "the tensors do not fit the network: \(Self.list(faults)); use a model made for it"
            case .unrecognised(let names):
                "its tensors belong to no network that is known: \(Self.list(names)); name one with --network"
            case .unknownNetwork(let cause):
                "the model's network is not known: \(cause); update denoised or use another model"
            }
        return Self.oneLine(text)
    }

    private static func list(_ faults: [String]) -> String {
        let shown = faults.prefix(5).map { $0.count > 200 ? $0.prefix(200) + "…" : $0 }.joined(separator: ", ")
        return faults.count > 5 ? "\(shown) and \(faults.count - 5) more" : shown
    }

    /// Names come from files, which may hold anything.
    private static func oneLine(_ text: String) -> String {
        let scalars = text.unicodeScalars.prefix(1000).map { $0.properties.generalCategory == .control ? "?" : $0 }
        return String(String.UnicodeScalarView(scalars))
    }
}
