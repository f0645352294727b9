import Foundation

/// Writes zip archives, honest ones and ones that lie: every field of a record may be changed before it is written.
public struct ZipBuilder {
    /// One entry; what the directory and the entry's own header say is set apart.
    public struct Entry {
        /// The fields that both headers have.
        public struct Header {
            public var name: [UInt8]
            public var flags = 0
            public var method = 0
            public var checksum: UInt32
            public var storedSize: Int
            public var size: Int
            public var extra: [UInt8] = []
        }

        public var own: Header
        public var directory: Header
        public var data: [UInt8]
        /// nil writes where the entry truly lies.
        public var offset: Int?
        /// Whether only the directory has the entry.
        public var isOnlyListed = false

        public init(_ name: String, _ data: [UInt8]) {
            let header = Header(
                name: Array(name.utf8), checksum: Self.checksum(data), storedSize: data.count, size: data.count)
            own = header
            directory = header
            self.data = data
        }

        /// Changes both headers alike.
        public mutating func both(_ change: (inout Header) -> Void) {
            change(&own)
            change(&directory)
        }

        /// CRC-32, bit by bit.
        public static func checksum(_ data: [UInt8]) -> UInt32 {
            var sum = ~UInt32(0)
            for byte in data {
                sum ^= UInt32(byte)
                for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
            }
            return ~sum
        }
    }

    public var entries: [Entry]
    /// Writes the zip64 end as torch does; the closure changes its values.
    public var zip64End: ((inout End) -> Void)?
    /// Changes the values of the last record.
    public var end: (inout End) -> Void = { _ in }

    /// What the records at the end say.
    public struct End {
        public var count: Int
        public var size: Int
        public var offset: Int
        /// Where the zip64 record lies, as its locator says.
        public var record: Int
    }

    public init(_ entries: [Entry]) { self.entries = entries }

    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        func add(_ parts: [[UInt8]]) { bytes += parts.joined() }
        var offsets: [Int] = []
        for entry in entries {
            offsets.append(entry.offset ?? bytes.count)
            if entry.isOnlyListed { continue }
            add([little(0x0403_4B50, 4), little(20, 2), fields(entry.own), entry.own.name, entry.own.extra, entry.data])
        }
        let directory = bytes.count
        for (entry, offset) in zip(entries, offsets) {
            let header = entry.directory
            add([
                little(0x0201_4B50, 4), little(20, 2), little(20, 2), fields(header), little(0, 10), little(offset, 4),
            ])
            add([header.name, header.extra])
        }
        var end = End(count: entries.count, size: bytes.count - directory, offset: directory, record: bytes.count)
        if let zip64End {
            var end = end
            zip64End(&end)
            add([little(0x0606_4B50, 4), little(44, 8), little(45, 2), little(45, 2), little(0, 8)])
            add([little(end.count, 8), little(end.count, 8), little(end.size, 8), little(end.offset, 8)])
            add([little(0x0706_4B50, 4), little(0, 4), little(end.record, 8), little(1, 4)])
        }
        self.end(&end)
        add([little(0x0605_4B50, 4), little(0, 4), little(end.count, 2), little(end.count, 2)])
        add([little(end.size, 4), little(end.offset, 4), little(0, 2)])
        return bytes
    }

    private func fields(_ header: Entry.Header) -> [UInt8] {
        let fields = [
            little(header.flags, 2), little(header.method, 2), little(0, 4), little(Int(header.checksum), 4),
            little(header.storedSize, 4), little(header.size, 4), little(header.name.count, 2),
            little(header.extra.count, 2),
        ]
        return Array(fields.joined())
    }
}

/// The lowest `count` bytes of a number, lowest first.
public func little(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { $0 < 8 ? UInt8(truncatingIfNeeded: value >> (8 * $0)) : 0 }
}
