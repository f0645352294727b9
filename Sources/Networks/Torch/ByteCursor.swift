/// Reads little-endian numbers and runs of bytes one after another, never beyond the end of its range.
struct ByteCursor {
    let bytes: [UInt8]
    /// Where the next byte lies.
    private(set) var position: Int
    private let end: Int

    /// - Precondition: `range` lies in `bytes`.
    init(_ bytes: [UInt8], in range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
        self.bytes = bytes
        position = range.lowerBound
        end = range.upperBound
    }

    var remaining: Int { end - position }

    mutating func byte() throws(CheckpointError) -> UInt8 {
        let range = try take(1)
        return bytes[range.lowerBound]
    }

    mutating func uint16() throws(CheckpointError) -> Int { Int(try number(2)) }
    mutating func uint32() throws(CheckpointError) -> Int { Int(try number(4)) }

    /// A 64-bit size or offset, which must fit a signed integer: nothing in a file is larger.
    mutating func uint64() throws(CheckpointError) -> Int {
        guard let value = Int(exactly: try number(8)) else { throw .archive("a size of more than 63 bits") }
        return value
    }

    /// An unsigned little-endian number of up to eight bytes.
    mutating func number(_ count: Int) throws(CheckpointError) -> UInt64 {
        let range = try take(count)
        var value: UInt64 = 0
        for index in range.reversed() { value = value << 8 | UInt64(bytes[index]) }
        return value
    }

    /// The next `count` bytes as UTF-8 text.
    mutating func text(_ count: Int) throws(CheckpointError) -> String {
        guard let text = String(validating: bytes[try take(count)], as: UTF8.self) else {
            throw .archive("a name or text is not UTF-8")
        }
        return text
    }

    /// The text up to the next line feed, which is passed over.
    mutating func line() throws(CheckpointError) -> String {
        guard let length = bytes[position..<end].prefix(256).firstIndex(of: 0x0A).map({ $0 - position }) else {
            throw .archive("a name without an end")
        }
        let line = try text(length)
        _ = try take(1)
        return line
    }

    /// Where the next `count` bytes lie; they are passed over.
    @discardableResult
    mutating func take(_ count: Int) throws(CheckpointError) -> Range<Int> {
        guard count >= 0, count <= remaining else { throw .archive("it ends early") }
        defer { position += count }
        return position..<position + count
    }
}
