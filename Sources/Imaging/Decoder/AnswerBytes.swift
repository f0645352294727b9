/// Numbers, texts and blocks one after the other, each with its size: what a decoder process answers with.
struct AnswerWriter {
    private(set) var bytes: [UInt8] = []

    mutating func write(_ value: Int) { write(UInt64(bitPattern: Int64(value))) }

    mutating func write(_ value: Double) { write(value.bitPattern) }

    mutating func write(_ text: String) { write(Array(text.utf8)) }

    mutating func write(_ block: [UInt8]) {
        write(block.count)
        bytes += block
    }

    /// nil, or the value.
    mutating func write<Value>(_ value: Value?, _ body: (inout AnswerWriter, Value) -> Void) {
        write(value == nil ? 0 : 1)
        if let value { body(&self, value) }
    }

    private mutating func write(_ value: UInt64) {
        for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }
}

/// Reads what `AnswerWriter` wrote, or whatever else a process that was taken over wrote in its place.
struct AnswerReader {
    /// The bytes end too early or cannot mean what they should.
    struct Nonsense: Error {}

    private var rest: ArraySlice<UInt8>

    init(_ bytes: some Collection<UInt8>) { rest = ArraySlice(bytes) }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func integer() throws(Nonsense) -> Int { Int(Int64(bitPattern: try bits())) }

    /// An integer that must lie in `range`.
    mutating func integer(in range: ClosedRange<Int>) throws(Nonsense) -> Int {
        let value = try integer()
        guard range.contains(value) else { throw Nonsense() }
        return value
    }

    /// A finite number.
    mutating func number() throws(Nonsense) -> Double {
        let value = Double(bitPattern: try bits())
        guard value.isFinite else { throw Nonsense() }
        return value
    }

    mutating func text() throws(Nonsense) -> String { String(decoding: try block(), as: UTF8.self) }

    mutating func block() throws(Nonsense) -> [UInt8] {
        let count = try integer(in: 0...rest.count)
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    mutating func optional<Value>(
        _ body: (inout AnswerReader) throws(Nonsense) -> Value
    ) throws(Nonsense) -> Value? {
        try integer(in: 0...1) == 0 ? nil : try body(&self)
    }

    private mutating func bits() throws(Nonsense) -> UInt64 {
        guard rest.count >= 8 else { throw Nonsense() }
        defer { rest = rest.dropFirst(8) }
        return rest.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
