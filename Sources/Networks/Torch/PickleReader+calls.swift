// What would be calls in Python: each makes a description, and what cannot be described is refused.
extension PickleReader {
    mutating func describe(_ instruction: PickleInstruction) throws(CheckpointError) {
        switch instruction {
        case .global:
            try pushGlobal(module: try cursor.line(), name: try cursor.line())
        case .stackGlobal:
            guard case .text(let name) = try pop(), case .text(let module) = try pop() else {
                throw .archive("its pickle names a global by something else than text")
            }
            try pushGlobal(module: module, name: name)
        case .persistentID:
            stack.append(try storage(try tuple(try pop())))
        case .build:
            // OrderedDict's attributes, where state dictionaries carry the versions of their layers: of no use here.
            guard case .dictionary = try pop(), case .dictionary? = stack.last else {
                throw .archive("its pickle changes the inside of an object")
            }
        default:
            let arguments = try tuple(try pop())
            guard case .global(let global) = try pop() else { throw .archive("its pickle calls what is no global") }
            stack.append(try described(global, arguments))
        }
    }

    private mutating func pushGlobal(module: String, name: String) throws(CheckpointError) {
        guard let global = PickleGlobal(module: module, name: name) else { throw .forbidden("\(module).\(name)") }
        stack.append(.global(global))
    }

    private func tuple(_ value: PickleValue) throws(CheckpointError) -> [PickleValue] {
        guard case .tuple(let index) = value else { throw .archive("its pickle has something else in a tuple's place") }
        return objects.tuples[index]
    }

    /// ('storage', class, key, device, number of elements): a record of exactly that many elements.
    private mutating func storage(_ id: [PickleValue]) throws(CheckpointError) -> PickleValue {
        guard id.count == 5, case .text("storage") = id[0], case .global(let global) = id[1],
            case .text(let key) = id[2], case .integer(let count) = id[4]
        else { throw .archive("its pickle refers to something else than a storage") }
        let type: ElementType?
        switch global {
        case .storage(let element): type = element
        case .untypedStorage: type = nil
        default: throw .archive("its pickle refers to something else than a storage")
        }
        guard let size = recordSize(key) else { throw .archive("storage \(key) is missing") }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: type?.size ?? 1)
        guard count >= 0, !overflow, bytes == size else {
            throw .archive("storage \(key) of \(count) elements has \(size) bytes")
        }
        objects.storages.append(TorchStorage(key: key, type: type, count: count))
        return .storage(objects.storages.count - 1)
    }

    private mutating func described(
        _ global: PickleGlobal, _ arguments: [PickleValue]
    ) throws(CheckpointError) -> PickleValue {
        switch global {
        case .orderedDictionary where arguments.isEmpty, .namespace where arguments.isEmpty: return emptyDictionary()
        case .rebuildParameter:
            guard arguments.count == 3, case .tensor = arguments[0] else { break }
            return arguments[0]
        case .rebuildTensor:
            // Storage, offset, shape, strides, whether it is trained, hooks and, rarely, metadata.
            guard (6...7).contains(arguments.count), case .storage(let storage) = arguments[0],
                case .integer(let offset) = arguments[1]
            else { break }
            objects.tensors.append(
                try TensorView(
                    objects.storages[storage], offset: offset, shape: try integers(arguments[2]),
                    strides: try integers(arguments[3])))
            return .tensor(objects.tensors.count - 1)
        default: break
        }
        throw .archive("its pickle makes an object in an unknown way")
    }

    private func integers(_ value: PickleValue) throws(CheckpointError) -> [Int] {
        var integers: [Int] = []
        for item in try tuple(value) {
            guard case .integer(let integer) = item else { throw .archive("a size is no integer") }
            integers.append(integer)
        }
        return integers
    }
}
