/// One directory of a TIFF structure (TIFF 6.0, section 2; BigTIFF; EXIF), read with every offset checked.
///
/// Damage never throws: entries that point outside the block are simply not there.
struct TagDirectory {
    struct Entry {
        let type: UInt16
        let count: Int
        /// Where the values lie in the block.
        let offset: Int
    }

    private let block: TagBlock
    private(set) var entries: [UInt16: Entry] = [:]
    /// Offset of the directory that follows, 0 at the end.
    private(set) var next = 0

    /// Nil when no directory can lie at `offset`.
    init?(_ block: TagBlock, at offset: Int) {
        self.block = block
        let wide = block.isBig
        guard offset > 0, let count = wide ? block.uint64(offset) : block.uint16(offset), count > 0, count <= 4096
        else { return nil }
        var position = offset + (wide ? 8 : 2)
        for _ in 0..<count {
            guard let tag = block.uint16(position), let type = block.uint16(position + 2),
                let values = wide ? block.uint64(position + 4) : block.uint32(position + 4)
            else { return nil }
            let field = position + (wide ? 12 : 8)
            position += wide ? 20 : 12
            let (bytes, overflow) = values.multipliedReportingOverflow(by: Self.size(of: type))
            guard bytes > 0, !overflow else { continue }
            let inline = bytes <= (wide ? 8 : 4)
            guard let start = inline ? field : wide ? block.uint64(field) : block.uint32(field),
                block.contains(start, bytes)
            else { continue }
            entries[UInt16(tag)] = Entry(type: UInt16(type), count: values, offset: start)
        }
        next = (wide ? block.uint64(position) : block.uint32(position)) ?? 0
    }

    /// Bytes of one value (TIFF 6.0 types 1–12, IFD 13, BigTIFF 16–18); 0 for unknown types.
    private static func size(of type: Int) -> Int {
        switch type {
        case 1, 2, 6, 7: 1
        case 3, 8: 2
        case 4, 9, 11, 13: 4
        case 5, 10, 12, 16, 17, 18: 8
        default: 0
        }
    }

    /// The unsigned integers of a tag, at most 64 of them.
    func integers(_ tag: UInt16) -> [Int] {
        guard let entry = entries[tag] else { return [] }
        return (0..<min(entry.count, 64)).compactMap { index in
            switch entry.type {
            case 1, 7: block.uint8(entry.offset + index)
            case 3: block.uint16(entry.offset + 2 * index)
            case 4, 13: block.uint32(entry.offset + 4 * index)
            case 16, 18: block.uint64(entry.offset + 8 * index)
            default: nil
            }
        }
    }

    func integer(_ tag: UInt16) -> Int? { integers(tag).first }

    /// A positive, finite number stored as unsigned rational or integer.
    func number(_ tag: UInt16) -> Double? {
        if let entry = entries[tag], entry.type == 5 {
            guard let top = block.uint32(entry.offset), let bottom = block.uint32(entry.offset + 4),
                top != 0, bottom != 0
            else { return nil }
            return Double(top) / Double(bottom)
        }
        return integer(tag).flatMap { $0 > 0 ? Double($0) : nil }
    }

    /// The unsigned rationals of a tag, at most 64; empty where one has no value.
    func rationals(_ tag: UInt16) -> [Double] {
        guard let entry = entries[tag], entry.type == 5 else { return [] }
        let found = (0..<min(entry.count, 64)).compactMap { index -> Double? in
            guard let top = block.uint32(entry.offset + 8 * index),
                let bottom = block.uint32(entry.offset + 8 * index + 4),
                bottom != 0
            else { return nil }
            return Double(top) / Double(bottom)
        }
        return found.count == min(entry.count, 64) ? found : []
    }

    /// An ASCII value without padding; nil when empty. At most 256 bytes are taken.
    func text(_ tag: UInt16) -> String? {
        guard let entry = entries[tag], entry.type == 2 else { return nil }
        let bytes = (0..<min(entry.count, 256)).compactMap { block.uint8(entry.offset + $0).map { UInt8($0) } }
        let characters = String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            .filter { character in character.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F } }
        let trimmed = characters.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()
        return trimmed.isEmpty ? nil : String(trimmed)
    }
}

/// A block of memory in TIFF's byte order.
struct TagBlock {
    private let bytes: UnsafeRawBufferPointer
    private let isBigEndian: Bool
    /// BigTIFF: 64-bit offsets.
    let isBig: Bool
    /// Offset of the first directory.
    let first: Int

    /// Nil unless the block starts like a TIFF. It must outlive this value.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= 8, bytes[0] == bytes[1], bytes[0] == 0x49 || bytes[0] == 0x4D else { return nil }
        isBigEndian = bytes[0] == 0x4D
        self.bytes = bytes
        let version = isBigEndian ? bytes[3] : bytes[2]
        guard (isBigEndian ? bytes[2] : bytes[3]) == 0, version == 42 || version == 43 else { return nil }
        isBig = version == 43
        let block = Self(bytes, isBigEndian: isBigEndian, isBig: isBig, first: 0)
        first = (isBig ? block.uint64(8) : block.uint32(4)) ?? 0
    }

    private init(_ bytes: UnsafeRawBufferPointer, isBigEndian: Bool, isBig: Bool, first: Int) {
        self.bytes = bytes
        self.isBigEndian = isBigEndian
        self.isBig = isBig
        self.first = first
    }

    func contains(_ offset: Int, _ count: Int) -> Bool {
        offset >= 0 && count >= 0 && count <= bytes.count && offset <= bytes.count - count
    }

    func uint8(_ offset: Int) -> Int? { integer(offset, 1) }
    func uint16(_ offset: Int) -> Int? { integer(offset, 2) }
    func uint32(_ offset: Int) -> Int? { integer(offset, 4) }
    /// Nil as well for numbers that no offset can have (2^63 and above).
    func uint64(_ offset: Int) -> Int? { integer(offset, 8) }

    private func integer(_ offset: Int, _ count: Int) -> Int? {
        guard contains(offset, count) else { return nil }
        var value: UInt64 = 0
        for index in 0..<count {
            value = value << 8 | UInt64(bytes[offset + (isBigEndian ? index : count - 1 - index)])
        }
        return Int(exactly: value)
    }

    /// The directories of the main chain, at most 32, each offset once.
    func directories() -> [TagDirectory] {
        var found: [TagDirectory] = []
        var seen: Set<Int> = []
        var offset = first
        while found.count < 32, seen.insert(offset).inserted, let directory = TagDirectory(self, at: offset) {
            found.append(directory)
            offset = directory.next
        }
        return found
    }
}
