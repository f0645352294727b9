import Foundation
import TestSupport
import Testing
import Tensors

@testable import Networks

@Suite struct TorchCheckpointTests {
    static func bytes(_ name: String) throws -> [UInt8] { [UInt8](try Fixtures.data("Torch/\(name)")) }

    /// Both sides made the same floats of the same bits, so nothing is allowed to differ.
    @Test func everyTypeAndLayoutOfTensorsReadsAsTorchSees() throws {
        let read = try TorchCheckpoint(Self.bytes("kinds.pth")).stateDictionary()
        let expected = try Safetensors(Fixtures.data("Torch/kinds.safetensors")).tensors
        #expect(Set(read.keys) == Set(expected.keys) && read.count == 18)
        for (name, tensor) in expected {
            #expect(read[name]?.shape == tensor.shape, "\(name)")
            #expect(read[name]?.values.map(\.bitPattern) == tensor.values.map(\.bitPattern), "\(name)")
        }
    }

    @Test(arguments: [3, 4, 5]) func laterPickleProtocolsReadAlike(version: Int) throws {
        let read = try TorchCheckpoint(Self.bytes("protocol\(version).pth")).stateDictionary()
        #expect(read.mapValues(\.values) == ["a": [1, 1], "b": [0, 0]])
        #expect(read["b"]?.shape == [1, 2])
    }

    @Test(arguments: [
        ("lightning.ckpt", "net.dn.branches.0."), ("basicsr.pth", ""), ("parallel.pt", "module."),
        ("nafnet.safetensors", ""),
    ]) func wrappersAndPrefixesAreTakenOff(file: String, prefix: String) throws {
        let read = try ForeignCheckpoint(Self.bytes(file))
        #expect(read.configuration == .nafnet(.init(width: 4, encoder: [1], middle: 1, decoder: [1])))
        #expect(read.prefix == prefix)
        #expect(read.isFromAMSNet == (file == "lightning.ckpt"))
        let expected = try Safetensors(Fixtures.data("Torch/nafnet.safetensors")).tensors
        #expect(try read.weights().weights.tensors.mapValues(\.values) == expected.mapValues(\.values))
    }

    @Test func filesOfOldTorchAreRefusedWithTheWayToConvertThem() throws {
        let error = #expect(throws: CheckpointError.legacy) { try TorchCheckpoint(Self.bytes("legacy.pth")) }
        #expect(error?.description.contains("torch.save(torch.load(") == true)
    }

    @Test func aWholeModuleIsRefusedByTheNameOfItsClass() throws {
        let error = #expect(throws: CheckpointError.self) { try TorchCheckpoint(Self.bytes("module.pth")) }
        #expect(error == .forbidden("torch.nn.modules.linear.Linear"))
    }

    @Test func aFileTruncatedAnywhereIsRefused() throws {
        let whole = try Self.bytes("kinds.pth")
        for count in 0..<whole.count {
            #expect(throws: CheckpointError.self, "\(count)") { try ForeignCheckpoint(Array(whole.prefix(count))) }
        }
        #expect(throws: CheckpointError.self) { try TorchCheckpoint(whole + [0]) }
    }

    @Test func checksumsAreThoseOfZipArchives() {
        // The check value of the algorithm's catalogue, and lengths around a word.
        #expect(CRC32.checksum(Array("123456789".utf8)[...]) == 0xCBF4_3926)
        #expect(CRC32.checksum([]) == 0)
        #expect(CRC32.checksum(Array("x12345678y".utf8)[1..<9]) == 0x9AE0_DAAF)
    }
}
