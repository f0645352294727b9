/// The records of a zip archive whose entries are stored as they are, as torch writes them (PKWARE APPNOTE 6.3).
///
/// Everything is checked before anything is read: entries are neither compressed nor encrypted, lie one behind the
/// other inside of the file, say the same in their own header as in the directory, and carry the right checksum.
/// Nothing is ever written to disk; still, names that would leave a folder are refused, since no honest program writes
/// them.
struct ZipArchive: Sendable {
    let bytes: [UInt8]
    /// Where the data of each entry lie.
    let entries: [String: Range<Int>]

    /// - Throws: `CheckpointError.archive`.
    init(_ bytes: [UInt8]) throws(CheckpointError) {
        let end = try ZipDirectory(bytes)
        var cursor = ByteCursor(bytes, in: end.offset..<end.offset + end.size)
        var records: [ZipRecord] = []
        for _ in 0..<end.count { records.append(try ZipRecord(&cursor)) }
        guard cursor.remaining == 0 else { throw .archive("its directory holds more than its entries") }

        var entries: [String: Range<Int>] = [:]
        var free = 0
        for record in records.sorted(by: { $0.offset < $1.offset }) {
            guard record.offset >= free else { throw .archive("entry \(record.name) overlaps another") }
            let data = try record.data(in: bytes, before: end.offset)
            guard entries.updateValue(data, forKey: record.name) == nil else {
                throw .archive("two entries are named \(record.name)")
            }
            free = data.upperBound
        }
        for record in records {
            guard let data = entries[record.name], CRC32.checksum(bytes[data]) == record.checksum else {
                throw .archive("entry \(record.name) does not have its checksum")
            }
        }
        self.bytes = bytes
        self.entries = entries
    }
}

/// Where the directory of an archive lies, from the record at the file's very end.
private struct ZipDirectory {
    let count: Int
    let size: Int
    let offset: Int

    private static let record = 22
    private static let locator = 20
    private static let record64 = 56

    init(_ bytes: [UInt8]) throws(CheckpointError) {
        guard bytes.count >= Self.record else { throw .archive("\(bytes.count) bytes are no archive") }
        let start = bytes.count - Self.record
        var cursor = ByteCursor(bytes, in: start..<bytes.count)
        guard try cursor.uint32() == 0x0605_4B50 else {
            throw .archive("the end of the archive is missing, so the file is incomplete")
        }
        let disks = (try cursor.uint16(), try cursor.uint16())
        let counts = (try cursor.uint16(), try cursor.uint16())
        let short = (size: try cursor.uint32(), offset: try cursor.uint32())
        guard disks == (0, 0), counts.0 == counts.1, try cursor.uint16() == 0 else {
            throw .archive("it is split, or text follows its end")
        }
        if let long = try Self.zip64(bytes, before: start) {
            // What does not fit the short record is all ones there; everything else is said twice.
            guard [0xFFFF, long.count].contains(counts.1), [0xFFFF_FFFF, long.size].contains(short.size),
                [0xFFFF_FFFF, long.offset].contains(short.offset)
            else { throw .archive("its two ends contradict each other") }
            (count, size, offset) = long
            try check(end: start - Self.locator - Self.record64)
        } else {
            (count, size, offset) = (counts.1, short.size, short.offset)
            try check(end: start)
        }
    }

    private func check(end: Int) throws(CheckpointError) {
        guard size <= end, offset == end - size, count <= size / 46 else {
            throw .archive("its directory does not lie where its end says")
        }
    }

    /// The zip64 record, if a locator says that there is one.
    private static func zip64(
        _ bytes: [UInt8], before end: Int
    ) throws(CheckpointError) -> (count: Int, size: Int, offset: Int)? {
        guard end >= locator + record64 else { return nil }
        var cursor = ByteCursor(bytes, in: end - locator..<end)
        guard try cursor.uint32() == 0x0706_4B50 else { return nil }
        let (disk, offset, disks) = (try cursor.uint32(), try cursor.uint64(), try cursor.uint32())
        let start = end - locator - record64
        guard disk == 0, disks == 1, offset == start else { throw .archive("its zip64 end does not lie where it says") }
        cursor = ByteCursor(bytes, in: start..<start + record64)
        guard try cursor.uint32() == 0x0606_4B50, try cursor.uint64() == record64 - 12 else {
            throw .archive("its zip64 end is not valid")
        }
        try cursor.take(4)
        let parts = (try cursor.uint32(), try cursor.uint32())
        let counts = (try cursor.uint64(), try cursor.uint64())
        guard parts == (0, 0), counts.0 == counts.1 else { throw .archive("it is split") }
        return (counts.1, try cursor.uint64(), try cursor.uint64())
    }
}

/// One entry as the directory describes it.
private struct ZipRecord {
    let name: String
    let flags: Int
    let checksum: UInt32
    let size: Int
    let offset: Int

    /// Sizes follow the data; the name is UTF-8.
    private static let knownFlags = 0x0808
    private static let inZip64 = 0xFFFF_FFFF

    init(_ cursor: inout ByteCursor) throws(CheckpointError) {
        guard try cursor.uint32() == 0x0201_4B50 else { throw .archive("its directory is not valid") }
        try cursor.take(4)
        flags = try cursor.uint16()
        let method = try cursor.uint16()
        try cursor.take(4)
        checksum = UInt32(truncatingIfNeeded: try cursor.uint32())
        let sizes = (stored: try cursor.uint32(), plain: try cursor.uint32())
        let lengths = (name: try cursor.uint16(), extra: try cursor.uint16(), comment: try cursor.uint16())
        let disk = try cursor.uint16()
        try cursor.take(6)
        let shortOffset = try cursor.uint32()
        name = try cursor.text(lengths.name)
        var extra = ByteCursor(cursor.bytes, in: try cursor.take(lengths.extra))
        try cursor.take(lengths.comment)

        guard Self.isHarmless(name) else { throw .archive("entry \(name) has a name that leaves the archive") }
        guard flags & 0x2041 == 0 else { throw .archive("entry \(name) is encrypted") }
        guard method == 0 else { throw .archive("entry \(name) is compressed, which torch never does") }
        guard flags & ~Self.knownFlags == 0, disk == 0 else { throw .archive("entry \(name) has unknown features") }
        // Which values the extra field holds, and in this order, follows from the ones that did not fit.
        var long = try Self.zip64(&extra)
        size = try Self.full(sizes.plain, &long, of: name)
        let stored = try Self.full(sizes.stored, &long, of: name)
        offset = try Self.full(shortOffset, &long, of: name)
        guard stored == size else { throw .archive("entry \(name) has two sizes") }
        guard long?.remaining ?? 0 == 0 else { throw .archive("entry \(name) has needless zip64 sizes") }
    }

    private static func full(
        _ value: Int, _ long: inout ByteCursor?, of name: String
    ) throws(CheckpointError) -> Int {
        guard value == inZip64 else { return value }
        guard let full = try long?.uint64() else { throw .archive("entry \(name) lacks its zip64 sizes") }
        return full
    }

    /// Where the entry's data lie, from the header before them.
    func data(in bytes: [UInt8], before end: Int) throws(CheckpointError) -> Range<Int> {
        guard offset <= end else { throw .archive("entry \(name) lies outside of the file") }
        var cursor = ByteCursor(bytes, in: offset..<end)
        guard try cursor.uint32() == 0x0403_4B50 else { throw .archive("entry \(name) does not lie where it should") }
        try cursor.take(2)
        let (ownFlags, method) = (try cursor.uint16(), try cursor.uint16())
        try cursor.take(4)
        let sum = UInt32(truncatingIfNeeded: try cursor.uint32())
        let sizes = [try cursor.uint32(), try cursor.uint32()]
        let lengths = (name: try cursor.uint16(), extra: try cursor.uint16())
        let ownName = try cursor.text(lengths.name)
        try cursor.take(lengths.extra)
        let isDeferred = flags & 8 != 0
        let knownSizes = [size, Self.inZip64] + (isDeferred ? [0] : [])
        guard ownName == name, ownFlags == flags, method == 0, sum == checksum || isDeferred && sum == 0,
            sizes.allSatisfy(knownSizes.contains)
        else { throw .archive("entry \(name) contradicts the directory") }
        guard size <= cursor.remaining else { throw .archive("entry \(name) reaches beyond the data") }
        return try cursor.take(size)
    }

    /// The zip64 field among an entry's extra fields.
    private static func zip64(_ extra: inout ByteCursor) throws(CheckpointError) -> ByteCursor? {
        var found: ByteCursor?
        while extra.remaining > 0 {
            let (kind, length) = (try extra.uint16(), try extra.uint16())
            let field = ByteCursor(extra.bytes, in: try extra.take(length))
            if kind == 1 { found = field }
        }
        return found
    }

    /// A relative path without steps upwards, backslashes and control characters.
    private static func isHarmless(_ name: String) -> Bool {
        let components = name.split(separator: "/", omittingEmptySubsequences: false)
        return components.allSatisfy { !["", ".", ".."].contains($0) }
            && name.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0 != "\\" && $0 != "\u{7F}" }
    }
}
