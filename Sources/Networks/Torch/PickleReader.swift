/// Reads a pickle as data (protocols 2 to 5, with the instructions that torch's reader of weights knows).
///
/// A pickle is a program for a stack machine, and a hostile one calls any function of Python. Here there is nothing to
/// call: a global is a case of `PickleGlobal` or an error, and a call of one of those few makes a description. Whatever
/// the program says, it grows memory by a bounded amount for each byte it is long, and ends after its last byte.
struct PickleReader {
    var objects = PickleObjects()
    var cursor: ByteCursor
    var stack: [PickleValue] = []
    /// Heights of the stack at which open groups begin.
    private var marks: [Int] = []
    private var memo: [Int: PickleValue] = [:]
    /// The bytes of the record with a key; nil where there is none.
    let recordSize: (String) -> Int?

    /// Torch writes some 25 instructions for a tensor.
    private static let maximalInstructions = 500_000
    /// Python's pickles hold at most a thousand items of a container at a time.
    private static let maximalStack = 20_000

    private init(_ cursor: ByteCursor, recordSize: @escaping (String) -> Int?) {
        self.cursor = cursor
        self.recordSize = recordSize
    }

    /// - Parameter recordSize: the bytes of a storage's record by its key.
    /// - Returns: the value that the pickle describes, and what its containers hold.
    /// - Throws: `CheckpointError.forbidden` naming the first global that is not allowed; `archive` for everything
    ///   else.
    static func read(
        _ cursor: ByteCursor, recordSize: @escaping (String) -> Int?
    ) throws(CheckpointError) -> (PickleValue, PickleObjects) {
        var reader = PickleReader(cursor, recordSize: recordSize)
        for _ in 0..<maximalInstructions {
            let code = try reader.cursor.byte()
            guard let instruction = PickleInstruction(rawValue: code) else {
                throw .archive("its pickle has the instruction \(code), which no checkpoint needs")
            }
            if instruction == .stop { return (try reader.finish(), reader.objects) }
            try reader.execute(instruction)
            guard reader.stack.count <= maximalStack, reader.marks.count <= maximalStack else {
                throw .archive("its pickle nests too deeply")
            }
        }
        throw .archive("its pickle has more than \(maximalInstructions) instructions")
    }

    private mutating func finish() throws(CheckpointError) -> PickleValue {
        let value = try pop()
        guard stack.isEmpty, marks.isEmpty, cursor.remaining == 0 else { throw .archive("its pickle ends too early") }
        return value
    }

    private mutating func execute(_ instruction: PickleInstruction) throws(CheckpointError) {
        switch instruction {
        case .proto, .frame, .mark, .stop: try frame(instruction)
        case .null: stack.append(.null)
        case .true: stack.append(.boolean(true))
        case .false: stack.append(.boolean(false))
        case .int1, .int2, .int4, .long1, .float: stack.append(try number(instruction))
        case .text1, .text4, .text8, .string1, .string4, .bytes1, .bytes4, .bytes8: stack.append(try text(instruction))
        case .emptyTuple, .tuple1, .tuple2, .tuple3, .tuple, .emptyList, .emptyDictionary, .emptySet:
            try makeContainer(instruction)
        case .append, .appends, .addItems, .setItem, .setItems: try fill(instruction)
        case .get1, .get4, .put1, .put4, .memoize: try remember(instruction)
        case .global, .stackGlobal, .persistentID, .reduce, .newObject, .build: try describe(instruction)
        }
    }

    // MARK: - The stack

    mutating func pop() throws(CheckpointError) -> PickleValue {
        // What lies below an open group's mark belongs to another group.
        guard stack.count > marks.last ?? 0, let value = stack.popLast() else {
            throw .archive("its pickle takes what is not there")
        }
        return value
    }

    private mutating func pop(_ count: Int) throws(CheckpointError) -> [PickleValue] {
        guard stack.count - count >= marks.last ?? 0 else { throw .archive("its pickle takes what is not there") }
        defer { stack.removeLast(count) }
        return Array(stack.suffix(count))
    }

    private mutating func popGroup() throws(CheckpointError) -> [PickleValue] {
        guard let mark = marks.popLast() else { throw .archive("its pickle closes a group that is not open") }
        defer { stack.removeSubrange(mark...) }
        return Array(stack[mark...])
    }

    private mutating func frame(_ instruction: PickleInstruction) throws(CheckpointError) {
        switch instruction {
        case .proto:
            let version = try cursor.byte()
            guard (2...5).contains(version) else { throw .archive("its pickle has protocol \(version)") }
        case .frame:
            guard try cursor.uint64() <= cursor.remaining else { throw .archive("it ends early") }
        default: marks.append(stack.count)
        }
    }

    private mutating func remember(_ instruction: PickleInstruction) throws(CheckpointError) {
        switch instruction {
        case .get1, .get4:
            let index = try instruction == .get1 ? Int(cursor.byte()) : cursor.uint32()
            guard let value = memo[index] else { throw .archive("its pickle recalls what it never stored") }
            stack.append(value)
        default:
            let index =
                switch instruction {
                case .put1: Int(try cursor.byte())
                case .put4: try cursor.uint32()
                default: memo.count
                }
            guard stack.count > marks.last ?? 0, let top = stack.last else {
                throw .archive("its pickle stores what is not there")
            }
            memo[index] = top
        }
    }

    // MARK: - Plain values

    private mutating func number(_ instruction: PickleInstruction) throws(CheckpointError) -> PickleValue {
        switch instruction {
        case .int1: return .integer(Int(try cursor.byte()))
        case .int2: return .integer(try cursor.uint16())
        case .int4: return .integer(Int(Int32(truncatingIfNeeded: try cursor.uint32())))
        case .float: return .number(Double(bitPattern: try cursor.number(8).byteSwapped))
        default:
            let count = Int(try cursor.byte())
            guard (1...8).contains(count) else {
                try cursor.take(count)
                return count == 0 ? .integer(0) : .opaque
            }
            // Two's complement of `count` bytes.
            let unused = 64 - 8 * count
            return .integer(Int(Int64(bitPattern: try cursor.number(count) << unused) >> unused))
        }
    }

    private mutating func text(_ instruction: PickleInstruction) throws(CheckpointError) -> PickleValue {
        let length =
            switch instruction {
            case .text1, .string1, .bytes1: Int(try cursor.byte())
            case .text4, .string4, .bytes4: try cursor.uint32()
            default: try cursor.uint64()
            }
        switch instruction {
        case .bytes1, .bytes4, .bytes8:
            try cursor.take(length)
            return .opaque
        default: return .text(try cursor.text(length))
        }
    }

    // MARK: - Containers

    private mutating func makeContainer(_ instruction: PickleInstruction) throws(CheckpointError) {
        switch instruction {
        case .emptyList, .emptySet:
            objects.lists.append([])
            stack.append(.list(objects.lists.count - 1))
        case .emptyDictionary:
            stack.append(emptyDictionary())
        default:
            let items =
                switch instruction {
                case .emptyTuple: [PickleValue]()
                case .tuple1: try pop(1)
                case .tuple2: try pop(2)
                case .tuple3: try pop(3)
                default: try popGroup()
                }
            objects.tuples.append(items)
            stack.append(.tuple(objects.tuples.count - 1))
        }
    }

    mutating func emptyDictionary() -> PickleValue {
        objects.dictionaries.append([])
        return .dictionary(objects.dictionaries.count - 1)
    }

    /// Torch's own reader once wrote items of a dictionary into whatever lay there (CVE-2026-24747).
    private mutating func fill(_ instruction: PickleInstruction) throws(CheckpointError) {
        let items =
            switch instruction {
            case .append: try pop(1)
            case .setItem: try pop(2)
            default: try popGroup()
            }
        guard stack.count > marks.last ?? 0, let target = stack.last else {
            throw .archive("its pickle fills what is not there")
        }
        switch (instruction, target) {
        case (.append, .list(let list)), (.appends, .list(let list)), (.addItems, .list(let list)):
            objects.lists[list] += items
        case (.setItem, .dictionary(let dictionary)), (.setItems, .dictionary(let dictionary)):
            guard items.count % 2 == 0 else { throw .archive("its pickle has a key without a value") }
            for index in stride(from: 0, to: items.count, by: 2) {
                objects.dictionaries[dictionary].append((items[index], items[index + 1]))
            }
        default: throw .archive("its pickle fills what is no container")
        }
    }
}
