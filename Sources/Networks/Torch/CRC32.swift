/// The checksum of zip archives: CRC-32 with the reflected polynomial 0xEDB88320, eight bytes at a time.
enum CRC32 {
    /// Table k holds the checksum of a byte that k zero bytes follow.
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for value in 0..<256 {
            tables[value] = (0..<8).reduce(UInt32(value)) { sum, _ in sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
        }
        for index in 256..<tables.count {
            let shorter = tables[index - 256]
            tables[index] = shorter >> 8 ^ tables[Int(shorter & 0xFF)]
        }
        return tables
    }()

    static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.withUnsafeBytes { bytes in
            tables.withUnsafeBufferPointer { tables in checksum(bytes, tables) }
        }
    }

    private static func checksum(_ bytes: UnsafeRawBufferPointer, _ tables: UnsafeBufferPointer<UInt32>) -> UInt32 {
        var sum = ~UInt32(0)
        let whole = bytes.count & ~7
        for start in stride(from: 0, to: whole, by: 8) {
            let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self)) ^ UInt64(sum)
            sum = 0
            for index in 0..<8 { sum ^= tables[(7 - index) << 8 | Int(truncatingIfNeeded: word >> (8 * index) & 0xFF)] }
        }
        for index in whole..<bytes.count { sum = sum >> 8 ^ tables[Int(UInt8(truncatingIfNeeded: sum) ^ bytes[index])] }
        return ~sum
    }
}
