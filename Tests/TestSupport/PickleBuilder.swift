/// Instructions of pickles, one function for each that tests need; a pickle is their bytes one after another.
public enum Pickle {
    public static func program(_ parts: [UInt8]..., version: UInt8 = 2) -> [UInt8] {
        [0x80, version] + parts.joined() + [0x2E]
    }

    public static func text(_ text: String) -> [UInt8] { [0x58] + little(text.utf8.count, 4) + Array(text.utf8) }
    public static func integer(_ value: Int) -> [UInt8] { [0x8A, 8] + little(value, 8) }
    public static func global(_ module: String, _ name: String) -> [UInt8] { Array("c\(module)\n\(name)\n".utf8) }
    public static func tuple(_ items: [UInt8]...) -> [UInt8] { [0x28] + items.joined() + [0x74] }
    public static func integers(_ values: [Int]) -> [UInt8] { [0x28] + values.flatMap(integer) + [0x74] }
    public static func dictionary(_ items: (key: String, value: [UInt8])...) -> [UInt8] {
        [0x7D, 0x28] + items.flatMap { text($0.key) + $0.value } + [0x75]
    }
    public static let emptyTuple: [UInt8] = [0x29]
    public static let reduce: [UInt8] = [0x52]

    public static func storage(_ key: String, _ type: String = "FloatStorage", count: Int) -> [UInt8] {
        tuple(text("storage"), global("torch", type), text(key), text("cpu"), integer(count)) + [0x51]
    }

    /// A tensor of the storage "0".
    public static func tensor(
        _ shape: [Int], strides: [Int], offset: Int = 0, type: String = "FloatStorage", count: Int
    ) -> [UInt8] {
        let arguments = tuple(
            storage("0", type, count: count), integer(offset), integers(shape), integers(strides), [0x89],
            global("collections", "OrderedDict") + emptyTuple + reduce)
        return global("torch._utils", "_rebuild_tensor_v2") + arguments + reduce
    }
}

extension ZipBuilder {
    /// A torch checkpoint of this pickle, with one storage of `floats`.
    public init(pickle: [UInt8], floats: [Float] = [1, 2, 3, 4, 5, 6], byteOrder: String = "little") {
        self.init([
            Entry("archive/data.pkl", pickle), Entry("archive/byteorder", Array(byteOrder.utf8)),
            Entry("archive/data/0", floats.flatMap { little(Int($0.bitPattern), 4) }),
        ])
    }

    /// {"a": a tensor of shape [2, 3]}.
    public static var honest: ZipBuilder {
        ZipBuilder(
            pickle: Pickle.program(
                Pickle.dictionary((key: "a", value: Pickle.tensor([2, 3], strides: [3, 1], count: 6)))))
    }
}
