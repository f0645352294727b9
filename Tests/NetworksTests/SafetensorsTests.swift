import Foundation
import Networks
import Tensors
import TestSupport
import Testing

@Suite struct SafetensorsTests {
    static let content = Safetensors(
        tensors: [
            "b": Tensor([2, 3], [1, -2, 0.5, .greatestFiniteMagnitude, -0.0, .leastNonzeroMagnitude]),
            "a": Tensor([1, 1, 4], repeating: 3),
            "scalar": Tensor([], [7]), "Umläut/π": Tensor([1], [9]),
            // Empty tensors begin where the next one begins.
            "e0": Tensor([3, 0], []), "e1": Tensor([1], [1]), "e2": Tensor([0], []), "e3": Tensor([1], [3]),
            "e4": Tensor([0], []), "e5": Tensor([1], [5]), "e6": Tensor([0], []), "e7": Tensor([1], [7]),
        ],
        metadata: ["licence": "CC0 \"quoted\"", "note": "line\nbreak"])

    /// A file from a header and its data.
    static func file(_ header: String, bytes: Int = 8, length: UInt64? = nil) -> Data {
        var data = Data()
        withUnsafeBytes(of: (length ?? UInt64(header.utf8.count)).littleEndian) { data.append(contentsOf: $0) }
        return data + Data(header.utf8) + Data(repeating: 0, count: bytes)
    }

    static func entry(_ shape: String, _ first: Int, _ last: Int, type: String = "F32") -> String {
        #"{"dtype":"\#(type)","shape":\#(shape),"data_offsets":[\#(first),\#(last)]}"#
    }

    @Test func aRoundTripKeepsEveryBit() throws {
        let bytes = try Self.content.encoded()
        let read = try Safetensors(bytes)
        #expect(read.metadata == Self.content.metadata)
        #expect(Set(read.tensors.keys) == Set(Self.content.tensors.keys))
        for (name, tensor) in Self.content.tensors {
            #expect(read.tensors[name]?.shape == tensor.shape)
            #expect(read.tensors[name]?.values.map(\.bitPattern) == tensor.values.map(\.bitPattern))
        }
        #expect(try read.encoded() == bytes)
    }

    @Test func integersAreReadAsFloats() throws {
        var file = Self.file(
            #"{"a":\#(Self.entry("[]", 0, 8, type: "I64")),"b":\#(Self.entry("[3]", 8, 32, type: "I64"))}"#, bytes: 0)
        for value in [7, -2, 1 << 40, .min] as [Int64] {
            withUnsafeBytes(of: value.littleEndian) { file.append(contentsOf: $0) }
        }
        let read = try Safetensors(file)
        #expect(read.tensors["a"]?.values == [7])
        #expect(read.tensors["a"]?.shape == [])
        #expect(read.tensors["b"]?.values == [-2, 0x1p40, -0x1p63])
    }

    @Test func dataStartAtAMultipleOfEightBytes() throws {
        let bytes = try Self.content.encoded()
        #expect(bytes[0] % 8 == 0)
        #expect(bytes.count == 8 + Int(bytes[0]) + Int(bytes[1]) << 8 + 4 * 16)
    }

    @Test func aSliceOfALargerBlockIsReadAlike() throws {
        let bytes = try Self.content.encoded()
        let block = Data([1, 2, 3]) + bytes + Data([4])
        #expect(try Safetensors(block[3..<3 + bytes.count]).tensors.count == Self.content.tensors.count)
    }

    @Test func aFileTruncatedAnywhereIsRefused() throws {
        let bytes = try Self.content.encoded()
        for count in 0..<bytes.count {
            #expect(throws: CheckpointError.self) { try Safetensors(bytes.prefix(count)) }
        }
        #expect(throws: CheckpointError.self) { try Safetensors(bytes + Data([0])) }
    }

    @Test(arguments: [
        (#"{"a":\#(entry("[1]", 0, 4)),"b":\#(entry("[1]", 0, 4))}"#, "overlap"),
        (#"{"a":\#(entry("[2]", 0, 8)),"b":\#(entry("[1]", 4, 8))}"#, "partial overlap"),
        (#"{"a":\#(entry("[1]", 4, 8))}"#, "hole at the start"),
        (#"{"a":\#(entry("[1]", 0, 4))}"#, "bytes without owner"),
        (#"{"a":\#(entry("[2]", 0, 16))}"#, "past the end"),
        (#"{"a":\#(entry("[2]", 8, 0))}"#, "reversed"),
        (#"{"a":\#(entry("[2]", -8, 0))}"#, "negative offset"),
        (#"{"a":\#(entry("[3]", 0, 8))}"#, "wrong size"),
        (#"{"a":\#(entry("[-2]", 0, 8))}"#, "negative size"),
        (#"{"a":\#(entry("[-1,-2]", 0, 8))}"#, "negative sizes"),
        (#"{"a":\#(entry("[4611686018427387904,4,2]", 0, 8))}"#, "product overflow"),
        (#"{"a":\#(entry("[2305843009213693954]", 0, 8))}"#, "byte count overflow"),
        (#"{"a":\#(entry("[9223372036854775808]", 0, 8))}"#, "size beyond 64 bits"),
        (#"{"a":\#(entry("[1.5]", 0, 8))}"#, "fractional size"),
        (#"{"a":\#(entry("[1]", 0, 8, type: "F64"))}"#, "another type"),
        (#"{"a":\#(entry("[2]", 0, 8, type: "I64"))}"#, "integers of half the size"),
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}"#, "one offset"),
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4,8]}}"#, "three offsets"),
        (#"{"a":{"dtype":"F32","shape":[2]}}"#, "no offsets"),
        (#"{"__metadata__":{"a":1}}"#, "metadata that is no text"),
        ("[]", "a list"), ("", "nothing"), ("{", "half an object"), ("{}{}", "two objects"),
        (String(repeating: #"{"a":"#, count: 100_000), "depth"),
    ]) func brokenHeadersAreRefused(header: String, what: String) {
        let error = #expect(throws: CheckpointError.self, "\(what)") { try Safetensors(Self.file(header)) }
        #expect(error?.description.hasPrefix("not a valid safetensors file: ") == true)
        #expect(error?.description.contains("\n") == false)
    }

    @Test(arguments: [9, 1000, 100_000_001, 1 << 40, UInt64(Int64.max) - 7, UInt64(Int64.max), .max])
    func headersLongerThanTheFileAreRefused(length: UInt64) {
        #expect(throws: CheckpointError.self) { try Safetensors(Self.file("{}", bytes: 6, length: length)) }
    }

    /// Mutations of bytes, of runs and of lengths: each file loads or is refused, and none ends the process.
    @Test func damagedFilesLoadOrAreRefused() throws {
        let original = [UInt8](try Self.content.encoded())
        let words = ["0", "-1", "9223372036854775807", "1e400", "[", "]", "{", "}", "null", "\"", "F16", ","]
            .map { Array($0.utf8) }
        var random = RandomSource(seed: 1)
        var loaded = 0
        for _ in 0..<10_000 {
            var bytes = original
            for _ in 0...random.index(below: 3) {
                let position = random.index(below: random.uniform() < 0.1 ? min(8, bytes.count) : bytes.count)
                switch random.index(below: 4) {
                case 0: bytes[position] = UInt8(random.index(below: 256))
                case 1: bytes[position] ^= 1 << UInt8(random.index(below: 8))
                case 2:
                    let word = words[random.index(below: words.count)]
                    bytes.replaceSubrange(position..<min(position + 2, bytes.count), with: word)
                default: bytes.removeSubrange(position..<min(position + 1 + random.index(below: 8), bytes.count))
                }
                if bytes.isEmpty { bytes = original }
            }
            do {
                let file = try Safetensors(Data(bytes))
                #expect(file.tensors.allSatisfy { $0.value.values.count == $0.value.count })
                loaded += 1
            } catch {
                #expect(!error.description.contains("\n"))
            }
        }
        // Changed data and names still load: some files do, and not all.
        #expect((100..<9000).contains(loaded))
    }
}
