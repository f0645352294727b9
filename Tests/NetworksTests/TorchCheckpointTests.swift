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

    @Test func safetensorsOfOtherTypesAreConvertedForImportsAlone() throws {
        let bytes = try Fixtures.data("Torch/kinds-as-they-are.safetensors")
        let read = try Safetensors(bytes, isConverting: true).tensors
        let expected = try Safetensors(Fixtures.data("Torch/kinds.safetensors")).tensors
        #expect(read.mapValues { $0.values.map(\.bitPattern) } == expected.mapValues { $0.values.map(\.bitPattern) })
        #expect(read.mapValues(\.shape) == expected.mapValues(\.shape))
        #expect(throws: CheckpointError.self) { try Safetensors(bytes) }
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

    /// What is wrong is said by name, whichever way the weights came.
    @Test func weightsThatDoNotFitAreListedByName() throws {
        let name = "net.dn.branches.0.intro.bias"
        var saved = try TorchCheckpoint(Self.bytes("lightning.ckpt")).stateDictionary()
        func faults(_ change: (inout [String: Tensor]) -> Void) throws -> CheckpointError? {
            var tensors = saved
            change(&tensors)
            let file = [UInt8](try Safetensors(tensors: tensors).encoded())
            return #expect(throws: CheckpointError.self) { try ForeignCheckpoint(file).weights() }
        }
        #expect(try faults { $0[name] = nil } == .mismatch(["missing tensor intro.bias"]))
        #expect(try faults { $0["net.dn.branches.0.more"] = Tensor([1]) } == .mismatch(["unknown tensor more"]))
        #expect(
            try faults { $0[name] = Tensor([5]) } == .mismatch(["tensor intro.bias has shape [5] instead of [4]"]))
        #expect(
            try faults { $0[name] = Tensor([4], repeating: .nan) }
                == .mismatch(["tensor intro.bias holds values that are not finite"]))
        #expect(try faults { $0 = ["x": Tensor([1])] } == .unrecognised(["x"]))
        #expect(try faults { $0 = ["net.net.": Tensor([1])] } == .unrecognised(["net.net."]))
        // Counters of batches mean nothing to a network that does not ask for them.
        saved["net.dn.branches.0.intro.num_batches_tracked"] = Tensor([], [1000])
        let file = [UInt8](try Safetensors(tensors: saved).encoded())
        #expect(try ForeignCheckpoint(file).weights().weights.tensors["intro.num_batches_tracked"] == nil)
    }

    @Test func aNetworkThatIsNamedCountsAndPrefixesStack() throws {
        let saved = try Safetensors(Fixtures.data("Torch/nafnet.safetensors")).tensors
        let tensors = Dictionary(uniqueKeysWithValues: saved.map { ("module.net.dn.branches.0._orig_mod.\($0)", $1) })
        let file = [UInt8](try Safetensors(tensors: tensors).encoded())
        #expect(try ForeignCheckpoint(file).prefix == "module.net.dn.branches.0._orig_mod.")
        let wide = NetworkConfiguration.nafnet(.init(width: 8, encoder: [1], middle: 1, decoder: [1]))
        let error = #expect(throws: CheckpointError.self) { try ForeignCheckpoint(file, for: wide).weights() }
        let fault = "tensor intro.weight has shape [4, 3, 3, 3] instead of [8, 3, 3, 3]"
        #expect(error?.description.contains(fault) == true)
        let other = #expect(throws: CheckpointError.self) {
            try ForeignCheckpoint(file, for: .restormer(.published)).weights()
        }
        #expect(other?.description.contains("unknown tensor module.net.dn.branches.0._orig_mod.") == true)
    }

    /// Three dictionaries side by side, among an optimiser's state and a command's options. The weights are those of
    /// DBSN/awgn.safetensors, to the bit; 1e-4: rounding of a few hundred summed products, as for the other networks.
    @Test func theThreeDictionariesOfDBSNAreOneNetwork() throws {
        let bytes = [UInt8](try Fixtures.data("DBSN/authors.pth"))
        let read = try ForeignCheckpoint(bytes)
        #expect(read.configuration == .bayesianDBSN(.init(width: 6, blocks: 2, noise: .heteroscedastic)))
        let known = try ForeignCheckpoint(bytes, noise: .awgn)
        let (network, weights) = try known.weights()
        #expect(network.configuration == .bayesianDBSN(.init(width: 6, blocks: 2, noise: .awgn)))
        let golden = try Safetensors(Fixtures.data("DBSN/awgn.safetensors")).tensors
        for parameter in network.trainedParameters {
            let expected = try #require(golden["weight.\(parameter.name)"])
            #expect(weights.tensors[parameter.name]?.values == expected.values, "\(parameter.name)")
        }
        let noisy = try #require(golden["noisy"]).swappingChannelsAndBatch()
        let mean = try #require(golden["mean"]).swappingChannelsAndBatch()
        let output = network.infer(noisy, weights)
        #expect(zip(output.values, mean.values).allSatisfy { abs($0 - $1) < 1e-4 })
    }

    @Test func aKindOfNoiseThatDoesNotFitIsRefused() throws {
        let bytes = [UInt8](try Fixtures.data("DBSN/authors.pth"))
        let error = #expect(throws: CheckpointError.self) {
            try ForeignCheckpoint(bytes, noise: .multivariate).weights()
        }
        #expect(error?.description.contains("sigma_n.conv_final.bias has shape [3] instead of [6]") == true)
        let other = #expect(throws: CheckpointError.self) {
            try ForeignCheckpoint(Self.bytes("nafnet.safetensors"), noise: .awgn)
        }
        #expect(other?.description.contains("nafnet") == true && other?.description.contains("\n") == false)
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
