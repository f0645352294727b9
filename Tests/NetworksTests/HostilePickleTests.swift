import Foundation
import TestSupport
import Tensors
import Testing

@testable import Networks

/// Pickles that want more than to describe tensors.
@Suite struct HostilePickleTests {
    /// Why a checkpoint of this pickle is refused.
    static func refusal(_ pickle: [UInt8]) throws -> CheckpointError {
        let error = #expect(throws: CheckpointError.self) {
            try TorchCheckpoint(ZipBuilder(pickle: pickle).bytes).stateDictionary()
        }
        let text = try #require(error).description
        #expect(!text.contains("\n") && text.count < 1100, "\(text)")
        return try #require(error)
    }

    /// Each pickle would make a file, were anything run.
    @Test func callsAreRefusedByTheirNameAndNothingRuns() throws {
        try withTemporaryFolder { folder in
            let proof = folder.appending(path: "proof")
            let command = Pickle.tuple(Pickle.text("touch \(proof.path)"))
            let calls: [(name: String, pickle: [UInt8])] = [
                ("posix.system", Pickle.program(Pickle.global("posix", "system"), command, Pickle.reduce)),
                ("os.system", Pickle.program(Pickle.global("os", "system"), command, [0x81])),
                (
                    "posix.system",
                    Pickle.program(
                        Pickle.text("posix"), Pickle.text("system"), [0x93], command, Pickle.reduce, version: 4)
                ),
                ("builtins.eval", Pickle.program(Pickle.global("builtins", "eval"), command, Pickle.reduce)),
                ("torch.load", Pickle.program(Pickle.global("torch", "load"), command, Pickle.reduce)),
                (
                    "subprocess.Popen",
                    Pickle.program(
                        Pickle.dictionary((key: "a", value: Pickle.tensor([2], strides: [1], count: 6))),
                        Pickle.global("subprocess", "Popen"), command, Pickle.reduce, [0x30])
                ),
            ]
            for call in calls {
                let error = try Self.refusal(call.pickle)
                #expect(error == .forbidden(call.name))
            }
            #expect(!FileManager.default.fileExists(atPath: proof.path))
        }
    }

    /// What Python itself wrote, and would run on loading: the fixture's script says what.
    @Test func aPickleThatPythonWouldRunIsRefusedAndDoesNotRun() throws {
        let bytes = try TorchCheckpointTests.bytes("calls.pth")
        let error = #expect(throws: CheckpointError.self) { try TorchCheckpoint(bytes) }
        #expect(error == .forbidden("posix.system"))
        #expect(!FileManager.default.fileExists(atPath: "denoised-pickle-ran"))
    }

    @Test(arguments: [
        "os\u{1B}[2Jsystem", String(repeating: "x", count: 250),
    ]) func namesOfGlobalsAreQuotedOnOneLine(name: String) throws {
        let text = try Self.refusal(Pickle.program(Pickle.global("m", name))).description
        #expect(text.hasPrefix("it calls for m.") && !text.contains("\u{1B}"))
    }

    /// Items written into what is no container: CVE-2026-24747 in torch up to 2.9.1.
    @Test(arguments: [
        [0x4E], [0x29], [0x5D], Pickle.text("text"), Pickle.global("torch", "FloatStorage"),
        Pickle.storage("0", count: 6), Pickle.tensor([6], strides: [1], count: 6),
    ]) func itemsAreSetInDictionariesAlone(target: [UInt8]) throws {
        let one = Self.program(target, [0x4B, 1, 0x4B, 2, 0x73])
        let many = Self.program(target, [0x28, 0x4B, 1, 0x4B, 2, 0x75])
        for pickle in [one, many] {
            #expect(try Self.refusal(pickle).description.contains("fills what is no container"))
        }
    }

    private static func program(_ target: [UInt8], _ rest: [UInt8]) -> [UInt8] { Pickle.program(target, rest) }

    @Test(arguments: [
        ("DoubleStorage", 6), ("FloatStorage", 5), ("FloatStorage", 7), ("FloatStorage", -6), ("HalfStorage", 6),
        ("ByteStorage", 1 << 40), ("LongStorage", (1 << 61) + 3), ("UntypedStorage", 6),
    ]) func storagesMustFillTheirRecord(type: String, count: Int) throws {
        let pickle = Pickle.program(
            Pickle.dictionary((key: "a", value: Pickle.tensor([1], strides: [1], type: type, count: count))))
        #expect(try Self.refusal(pickle).description.contains("storage 0 of \(count) elements has 24 bytes"))
    }

    @Test func bytesWithoutATypeMakeNoTensor() throws {
        let pickle = Pickle.program(
            Pickle.dictionary((key: "a", value: Pickle.tensor([1], strides: [1], type: "UntypedStorage", count: 24))))
        #expect(try Self.refusal(pickle).description.contains("bytes without a type"))
    }

    @Test(arguments: [
        ([7], [1], 0), ([6], [1], 1), ([2, 3], [4, 1], 0), ([1], [1], 6), ([1], [1], -1), ([-1], [1], 0),
        ([2, 3], [-3, 1], 0), ([2, 3], [3], 0), ([1 << 40], [0], 0), ([7], [0], 0), ([1 << 32, 1 << 32], [0, 0], 0),
        ([2, 2], [1 << 62, 1 << 62], 0), ([2], [1], .max), ([3], [.max], 0),
        (Array(repeating: 1, count: 17), Array(repeating: 1, count: 17), 0),
    ]) func tensorsMustLieInTheirStorage(shape: [Int], strides: [Int], offset: Int) throws {
        let pickle = Pickle.program(
            Pickle.dictionary((key: "a", value: Pickle.tensor(shape, strides: strides, offset: offset, count: 6))))
        #expect(try Self.refusal(pickle).description.contains("a tensor of shape"))
    }

    @Test func manyViewsOfOneStorageAreRefusedBeforeTheyAreMade() throws {
        // Twice as many elements as the file has bytes, though every tensor lies in its storage.
        let floats = [Float](repeating: 1, count: 4096)
        let items = (0..<40).map { first in
            Pickle.text("t\(first)") + Pickle.tensor([4000], strides: [1], offset: first, count: 4096)
        }
        let pickle = Pickle.program([0x7D, 0x28], Array(items.joined()), [0x75])
        let bytes = ZipBuilder(pickle: pickle, floats: floats).bytes
        #expect(40 * 4000 > bytes.count)
        let error = #expect(throws: CheckpointError.self) { try TorchCheckpoint(bytes).stateDictionary() }
        #expect(error?.description.contains("show more than it holds") == true)
    }

    @Test(arguments: [
        ("", "ends early"), ("\u{0}", "instruction 0"), ("0", "instruction 48"), ("}R", "tuple's place"),
        (")R", "not there"), ("((t)R", "no global"), ("N()R", "not there"), ("t", "not open"), ("s", "not there"),
        ("h\u{5}", "recalls"), ("q\u{5}", "stores"),
        ("}.", "not at the end"), ("NN", "too early"), ("(N", "too early"), ("N}b", "inside of an object"),
        ("}(K\u{1}u", "key without a value"), ("NQ", "tuple's place"), (")Q", "something else than a storage"),
        ("ctorch\nFloatStorage\n)R", "unknown way"), ("ccollections\nOrderedDict\n(Ntb", "inside"),
        ("N)R", "no global"), ("X\u{7F}\u{7F}\u{7F}\u{7F}", "ends early"), ("cabc", "without an end"),
    ]) func brokenProgramsAreRefused(program: String, what: String) throws {
        let error = try Self.refusal([0x80, 2] + Array(program.utf8) + (program.isEmpty ? [] : [0x2E]))
        if what != "not at the end" { #expect(error.description.contains(what), "\(error)") }
    }

    /// Depth, breadth and length cost no stack, and memory only in proportion to the pickle's length.
    @Test(
        arguments: [
            ([0x85], 400_000), ([0x28], 400_000), ([0x4E], 400_000), ([0x5D], 400_000),
            ([0x71, 0, 0x68, 0, 0x61], 100_000),
            ([0x94], 600_000),
        ] as [([UInt8], Int)]) func deepAndEndlessPicklesAreRefused(instructions: [UInt8], count: Int) throws
    {
        let middle = Array(repeatElement(instructions, count: count).joined())
        _ = try Self.refusal(Pickle.program([0x5D], middle))
    }

    @Test func containersThatHoldThemselvesAreHarmless() throws {
        // d = {}; d["model"] = d
        #expect(
            try Self.refusal(Pickle.program([0x7D, 0x71, 0], Pickle.text("model"), [0x68, 0, 0x73])).description
                .contains("wrapped too deeply"))
    }

    @Test func dictionariesWithoutTensorsSayWhatTheyHold() throws {
        #expect(try Self.refusal(Pickle.program([0x7D])) == .noWeights("it is empty"))
        #expect(
            try Self.refusal(Pickle.program(Pickle.dictionary((key: "epoch", value: [0x4B, 1]))))
                == .noWeights("there are no tensors beside epoch"))
        let tensor = Pickle.tensor([1], strides: [1], count: 6)
        #expect(
            try Self.refusal(Pickle.program(Pickle.dictionary((key: "a", value: tensor), (key: "b", value: [0x4E]))))
                == .noWeights("b is no tensor"))
        #expect(
            try Self.refusal(Pickle.program(Pickle.dictionary((key: "a", value: tensor), (key: "a", value: tensor))))
                == .archive("two tensors are named a"))
        #expect(try Self.refusal(Pickle.program(tensor)) == .noWeights("its root is no dictionary"))
    }
}
