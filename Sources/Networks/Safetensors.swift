import Foundation
import Tensors

/// The safetensors format: eight bytes of header length (little-endian), a JSON header, then the data without holes.
///
/// Models hold 32-bit floats, and 64-bit integers in which PyTorch counts training passes; these and, on request, every
/// other type that checkpoints have are read as the nearest float. Source: the format's public description; limits of
/// spec/reliability.md.
public struct Safetensors: Sendable {
    public var tensors: [String: Tensor]
    /// Free text by key, under `__metadata__`.
    public var metadata: [String: String]

    public init(tensors: [String: Tensor], metadata: [String: String] = [:]) {
        self.tensors = tensors
        self.metadata = metadata
    }

    private struct Entry: Codable {
        let dtype: String
        let shape: [Int]
        let data_offsets: [Int]
    }

    /// Largest header accepted, in bytes, as in the reference implementation.
    private static let maximalHeader = 100_000_000

    /// Reads a file's bytes. Nothing is allocated that the bytes do not hold.
    ///
    /// - Parameter isConverting: whether other types become floats too; otherwise they are an error.
    /// - Throws: `CheckpointError.malformed` for overlaps, holes, wrong sizes, other element types and broken headers.
    public init(_ bytes: Data, isConverting: Bool = false) throws(CheckpointError) {
        let (header, body) = try Self.split(bytes)
        metadata = header.metadata
        tensors = [:]
        var end = 0
        // By first and last byte: an empty tensor begins where the next one does.
        let entries = header.entries.sorted { $0.value.data_offsets.lexicographicallyPrecedes($1.value.data_offsets) }
        for (name, entry) in entries {
            guard let type = ElementType(safetensors: entry.dtype), isConverting || [.float32, .int64].contains(type)
            else {
                throw .malformed("tensor \(name) has type \(entry.dtype), not F32")
            }
            let (first, last) = (entry.data_offsets[0], entry.data_offsets[1])
            guard first == end, last >= first, last <= body.count else {
                throw .malformed("tensor \(name) lies outside of the data or overlaps another")
            }
            guard let count = Self.product(entry.shape), count <= body.count / type.size,
                count * type.size == last - first
            else { throw .malformed("tensor \(name) of shape \(entry.shape) does not fill its \(last - first) bytes") }
            tensors[name] = Tensor(entry.shape) { target in
                body.withUnsafeBytes { source in
                    type.convert(UnsafeRawBufferPointer(rebasing: source[first..<last]), at: 0..<count, to: target)
                }
            }
            end = last
        }
        guard end == body.count else { throw .malformed("\(body.count - end) bytes at the end belong to no tensor") }
    }

    /// The file's bytes; tensors are ordered by name, so that equal content gives equal bytes.
    public func encoded() throws -> Data {
        var entries: [String: Entry] = [:]
        var offset = 0
        let names = tensors.keys.sorted()
        for name in names {
            guard let tensor = tensors[name] else { continue }
            entries[name] = Entry(dtype: "F32", shape: tensor.shape, data_offsets: [offset, offset + tensor.count * 4])
            offset += tensor.count * 4
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var header = try encoder.encode(Header(entries: entries, metadata: metadata))
        while header.count % 8 != 0 { header.append(0x20) }
        var bytes = Data(capacity: 8 + header.count + offset)
        withUnsafeBytes(of: UInt64(header.count).littleEndian) { bytes.append(contentsOf: $0) }
        bytes.append(header)
        for name in names {
            tensors[name]?.withPointer { pointer in
                bytes.append(UnsafeBufferPointer(start: pointer, count: tensors[name]?.count ?? 0))
            }
        }
        return bytes
    }

    private static func split(_ bytes: Data) throws(CheckpointError) -> (Header, Data) {
        guard bytes.count >= 8 else { throw .malformed("\(bytes.count) bytes are too few for a header") }
        let length = bytes.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= UInt64(min(bytes.count - 8, maximalHeader)) else {
            throw .malformed("a header of \(length) bytes does not fit in \(bytes.count) bytes")
        }
        let end = bytes.startIndex + 8 + Int(length)
        do {
            let header = try JSONDecoder().decode(Header.self, from: bytes[(bytes.startIndex + 8)..<end])
            return (header, Data(bytes[end...]))
        } catch {
            throw .malformed("the header is not the JSON that is expected")
        }
    }

    private static func product(_ shape: [Int]) -> Int? {
        var product = 1
        for size in shape {
            let (value, overflow) = product.multipliedReportingOverflow(by: size)
            guard size >= 0, !overflow else { return nil }
            product = value
        }
        return product
    }

    /// Names are keys of one JSON object, beside `__metadata__`.
    private struct Header: Codable {
        var entries: [String: Entry] = [:]
        var metadata: [String: String] = [:]

        private struct Name: CodingKey {
            let stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        init(entries: [String: Entry], metadata: [String: String]) {
            self.entries = entries
            self.metadata = metadata
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Name.self)
            for key in container.allKeys {
                if key.stringValue == "__metadata__" {
                    metadata = try container.decode([String: String].self, forKey: key)
                } else {
                    let entry = try container.decode(Entry.self, forKey: key)
                    guard entry.data_offsets.count == 2 else {
                        throw DecodingError.dataCorruptedError(
                            forKey: key, in: container, debugDescription: "two offsets are needed")
                    }
                    entries[key.stringValue] = entry
                }
            }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Name.self)
            if !metadata.isEmpty { try container.encode(metadata, forKey: Name(stringValue: "__metadata__")) }
            for (name, entry) in entries { try container.encode(entry, forKey: Name(stringValue: name)) }
        }
    }
}
