import Tensors

/// What torch.save wrote: a zip archive of one pickle and the records of its storages, read as data.
///
/// No byte of the file is ever executed. Memory beside the file's own bytes is the description of its values, some
/// hundred bytes for an instruction of the pickle, and the tensors of the dictionary that is asked for, whose elements
/// together are no more than the file holds. Source: the format of torch 1.6 and later; limits of spec/reliability.md,
/// section 4.
struct TorchCheckpoint: Sendable {
    private let archive: ZipArchive
    /// Before the names of all records: "archive/".
    private let folder: String
    private let root: PickleValue
    private let objects: PickleObjects

    /// The keys under which state dictionaries lie; averaged weights, which are the better ones, first.
    private static let wrappers = [
        "state_dict_ema", "state_dict", "params_ema", "params", "model_state_dict", "model_state", "model_ema", "model",
        "network", "net", "generator", "weights",
    ]

    /// - Throws: `CheckpointError`.
    init(_ bytes: [UInt8]) throws(CheckpointError) {
        if Self.isLegacy(bytes) { throw .legacy }
        let archive = try ZipArchive(bytes)
        let pickles = archive.entries.keys.filter { $0.hasSuffix("/data.pkl") && $0.split(separator: "/").count == 2 }
        guard let pickle = pickles.first, let place = archive.entries[pickle], pickles.count == 1 else {
            throw .archive("it has \(pickles.count) files data.pkl in place of one")
        }
        let folder = String(pickle.dropLast("data.pkl".count))
        if let order = archive.entries[folder + "byteorder"], !archive.bytes[order].elementsEqual("little".utf8) {
            throw .archive("its numbers are not little-endian")
        }
        self.archive = archive
        self.folder = folder
        (root, objects) = try PickleReader.read(ByteCursor(bytes, in: place)) {
            archive.entries[folder + "data/" + $0]?.count
        }
    }

    /// Whether `bytes` are a zip archive, or were written by torch before it made those.
    static func isTorch(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x50, 0x4B]) || isLegacy(bytes) }

    /// A pickle of the number 0x1950a86a20f9469cfc6c.
    private static func isLegacy(_ bytes: [UInt8]) -> Bool {
        bytes.starts(with: [0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19])
    }

    /// The tensors of the state dictionary, which may be the whole checkpoint or lie under a key or two.
    ///
    /// - Throws: `CheckpointError.noWeights`, or `archive` when a name occurs twice.
    func stateDictionary() throws(CheckpointError) -> [String: Tensor] {
        var views: [String: TensorView] = [:]
        for part in try parts() {
            for (key, value) in part.entries {
                guard case .text(let name) = key, case .tensor(let tensor) = value else {
                    throw .noWeights("\(Self.name(key)) is no tensor")
                }
                let whole = part.name.isEmpty ? name : "\(part.name).\(name.trimmingPrefix("module."))"
                guard views.updateValue(objects.tensors[tensor], forKey: whole) == nil else {
                    throw .archive("two tensors are named \(whole)")
                }
            }
        }
        return try tensors(views)
    }

    /// The one state dictionary, or the three that D-BSN's authors save side by side (spec C.5), with what their
    /// tensors' names begin with here.
    private func parts() throws(CheckpointError) -> [(name: String, entries: [(key: PickleValue, value: PickleValue)])]
    {
        if case .dictionary(let root) = root {
            let parts = BayesianDBSN.Group.allCases.compactMap { group in
                objects.dictionaries[root].lazy.compactMap { key, value in
                    if case (.text("state_dict_\(group.rawValue)"), .dictionary(let part)) = (key, value) {
                        (group.rawValue, objects.dictionaries[part])
                    } else {
                        nil
                    }
                }.first
            }
            if parts.count == BayesianDBSN.Group.allCases.count { return parts }
        }
        return [("", try entries())]
    }

    private func entries() throws(CheckpointError) -> [(key: PickleValue, value: PickleValue)] {
        var value = root
        // A wrapper in a wrapper is as deep as it gets; a dictionary may even hold itself.
        for _ in 0..<4 {
            guard case .dictionary(let dictionary) = value else { throw .noWeights("its root is no dictionary") }
            let entries = objects.dictionaries[dictionary]
            guard let inner = Self.wrapped(entries) else {
                if entries.contains(where: { if case .tensor = $0.value { true } else { false } }) { return entries }
                let names = entries.prefix(5).map { Self.name($0.key) }.joined(separator: ", ")
                throw .noWeights(entries.isEmpty ? "it is empty" : "there are no tensors beside \(names)")
            }
            value = inner
        }
        throw .noWeights("they are wrapped too deeply")
    }

    /// The dictionary under the first of the known keys.
    private static func wrapped(_ entries: [(key: PickleValue, value: PickleValue)]) -> PickleValue? {
        for wrapper in wrappers {
            for case (.text(wrapper), .dictionary(let dictionary)) in entries { return .dictionary(dictionary) }
        }
        return nil
    }

    private static func name(_ key: PickleValue) -> String {
        switch key {
        case .text(let text): text
        case .integer(let integer): "\(integer)"
        default: "a key that is no text"
        }
    }

    /// The elements that the views show; equal views share their tensor.
    private func tensors(_ views: [String: TensorView]) throws(CheckpointError) -> [String: Tensor] {
        let different = Set(views.values)
        // Each view is no larger than its record, but many may show the same one.
        guard different.reduce(0, { $0 + $1.count * $1.type.size }) <= archive.bytes.count else {
            throw .archive("its tensors show more than it holds")
        }
        var made: [TensorView: Tensor] = [:]
        for view in different { made[view] = try tensor(view) }
        return views.compactMapValues { made[$0] }
    }

    private func tensor(_ view: TensorView) throws(CheckpointError) -> Tensor {
        guard let record = archive.entries[folder + "data/" + view.storage.key] else {
            throw .archive("storage \(view.storage.key) is missing")
        }
        return Tensor(view.shape) { target in
            archive.bytes[record].withUnsafeBytes { bytes in
                if view.isContiguous {
                    view.type.convert(bytes, at: view.offset..<view.offset + view.count, to: target)
                } else {
                    view.type.convert(bytes, at: StridedPlaces(view), to: target)
                }
            }
        }
    }
}

/// The indices of a view's elements in row-major order.
private struct StridedPlaces: Sequence, IteratorProtocol {
    private let view: TensorView
    private var position: [Int]
    private var left: Int

    init(_ view: TensorView) {
        self.view = view
        position = view.shape.map { _ in 0 }
        left = view.count
    }

    mutating func next() -> Int? {
        guard left > 0 else { return nil }
        left -= 1
        let place = zip(position, view.strides).reduce(view.offset) { $0 + $1.0 * $1.1 }
        for axis in position.indices.reversed() {
            position[axis] += 1
            if position[axis] < view.shape[axis] { break }
            position[axis] = 0
        }
        return place
    }
}
