/// A value that a pickle describes. Containers are numbers of places in `PickleObjects`: values never own each other,
/// so that neither a cycle nor a depth of a million lists can exhaust memory or stack.
enum PickleValue: Sendable {
    case null
    case boolean(Bool)
    case integer(Int)
    case number(Double)
    case text(String)
    /// Bytes and integers beyond 64 bits, which no weights depend on.
    case opaque
    case global(PickleGlobal)
    case tuple(Int)
    case list(Int)
    case dictionary(Int)
    case storage(Int)
    case tensor(Int)
}

/// The only names that a pickle may mention: those of torch's own reader of weights that checkpoints of networks use.
enum PickleGlobal: Sendable, Hashable {
    case orderedDictionary
    /// The options of a trainer, by name: a dictionary of nothing that weights depend on.
    case namespace
    case rebuildTensor
    case rebuildParameter
    case storage(ElementType)
    /// Bytes without a type; no tensor can be made of them.
    case untypedStorage

    init?(module: String, name: String) {
        switch (module, name) {
        case ("collections", "OrderedDict"): self = .orderedDictionary
        case ("argparse", "Namespace"): self = .namespace
        case ("torch._utils", "_rebuild_tensor_v2"): self = .rebuildTensor
        case ("torch._utils", "_rebuild_parameter"): self = .rebuildParameter
        case ("torch", "UntypedStorage"), ("torch.storage", "UntypedStorage"): self = .untypedStorage
        case ("torch", _):
            guard let type = ElementType(storageClass: name) else { return nil }
            self = .storage(type)
        default: return nil
        }
    }
}

/// What the containers of a pickle hold, each container by its number.
struct PickleObjects: Sendable {
    var tuples: [[PickleValue]] = []
    var lists: [[PickleValue]] = []
    /// In the order of insertion; a name may occur twice.
    var dictionaries: [[(key: PickleValue, value: PickleValue)]] = []
    var storages: [TorchStorage] = []
    var tensors: [TensorView] = []
}
