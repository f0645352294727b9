import Foundation
import Tensors
import TestSupport
import Testing

@testable import Networks

/// Damage of every kind, seeded: a checkpoint reads as whole tensors or is refused with one line; nothing ends the
/// process.
@Suite struct TorchMutationTests {
    /// A byte, a bit, a run or a number that is worth trying, somewhere.
    static func mutate(_ bytes: inout [UInt8], _ random: inout RandomSource) {
        let numbers = [little(-1, 4), little(-1, 8), little(0, 8), little(1 << 40, 8), little(0x7FFF_FFFF, 4)]
        for _ in 0...random.index(below: 3) where !bytes.isEmpty {
            let position = random.index(below: bytes.count)
            let length = min(1 + random.index(below: 8), bytes.count - position)
            switch random.index(below: 6) {
            case 0: bytes[position] = UInt8(random.index(below: 256))
            case 1: bytes[position] ^= 1 << UInt8(random.index(below: 8))
            case 2: bytes.removeSubrange(position..<position + length)
            case 3: bytes.insert(contentsOf: bytes[position..<position + length], at: random.index(below: bytes.count))
            case 4:
                let number = numbers[random.index(below: numbers.count)]
                bytes.replaceSubrange(position..<min(position + number.count, bytes.count), with: number)
            default: bytes.removeLast(length)
            }
        }
    }

    /// Whether the bytes could be read; what was read must be whole.
    static func isRead(_ body: () throws -> [String: Tensor]) throws -> Bool {
        do {
            let tensors = try body()
            #expect(tensors.allSatisfy { $0.value.values.count == $0.value.shape.reduce(1, *) })
            return true
        } catch let error as CheckpointError {
            #expect(!error.description.contains("\n") && error.description.count <= 1000)
            return false
        }
    }

    /// The archive's own bytes: the checksums catch nearly everything.
    @Test func damagedArchivesAreReadOrRefused() throws {
        let original = try TorchCheckpointTests.bytes("kinds.pth")
        var random = RandomSource(seed: 1)
        for _ in 0..<5000 {
            var bytes = original
            Self.mutate(&bytes, &random)
            _ = try Self.isRead { try TorchCheckpoint(bytes).stateDictionary() }
        }
    }

    /// The pickle alone, under right checksums: what someone who means harm would write.
    @Test func damagedPicklesAreReadOrRefused() throws {
        let whole = try ZipArchive(TorchCheckpointTests.bytes("kinds.pth"))
        let records = whole.entries.mapValues { Array(whole.bytes[$0]) }.sorted { $0.key < $1.key }
        var random = RandomSource(seed: 2)
        var read = 0
        for _ in 0..<5000 {
            let archive = ZipBuilder(
                records.map { name, data in
                    var data = data
                    if name.hasSuffix("data.pkl") { Self.mutate(&data, &random) }
                    return ZipBuilder.Entry(name, data)
                })
            if try Self.isRead({ try TorchCheckpoint(archive.bytes).stateDictionary() }) { read += 1 }
        }
        // Names, flags and numbers that no tensor depends on: some pickles still read, and not most.
        #expect((50..<2500).contains(read))
    }

    /// Up to the weights of a network: its own names and shapes, or an error.
    @Test func damagedWeightsFitTheirNetworkOrAreRefused() throws {
        let whole = try ZipArchive(TorchCheckpointTests.bytes("lightning.ckpt"))
        guard let pickle = whole.entries["lightning/data.pkl"] else { throw CheckpointError.archive("no pickle") }
        var random = RandomSource(seed: 3)
        for _ in 0..<300 {
            var changed = Array(whole.bytes[pickle])
            Self.mutate(&changed, &random)
            let archive = ZipBuilder(
                whole.entries.map { .init($0, $0 == "lightning/data.pkl" ? changed : Array(whole.bytes[$1])) })
            _ = try Self.isRead {
                let (network, weights) = try ForeignCheckpoint(archive.bytes).weights()
                #expect(network.parameters.allSatisfy { weights.tensors[$0.name]?.shape == $0.shape })
                return weights.tensors
            }
        }
    }
}
