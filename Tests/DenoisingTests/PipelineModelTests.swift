import Denoising
import Foundation
import Networks
import SystemPackage
import Tensors
import TestSupport
import Testing

@Suite struct PipelineModelTests {
    @Test func aModelReadsBackWithItsWeightsMetadataAndHash() throws {
        try withTemporaryPath { folder in
            let model = try Small.model(in: folder)
            #expect(model.name == "small")
            #expect(model.network.configuration == Small.network.configuration)
            #expect(model.weights.tensors.mapValues(\.values) == Small.weights.tensors.mapValues(\.values))
            #expect(model.metadata["licence"] == "CC0")
            #expect(model.hash.count == 64 && model.hash.allSatisfy { $0.isHexDigit && !$0.isUppercase })
            // Writing again replaces the file by equal bytes and leaves no other file.
            #expect(try Small.model(in: folder).hash == model.hash)
            #expect(try Small.names(in: folder) == ["small.safetensors"])
            try Model.write(Small.weights, of: Small.network, metadata: [:], to: folder.appending("other.safetensors"))
            #expect(try Model(contentsOf: folder.appending("other.safetensors")).hash != model.hash)
        }
    }

    /// Writes a model's file with a change and returns why it is refused.
    static func refusal(_ change: (inout Safetensors) -> Void) throws -> String {
        try withTemporaryPath { folder in
            _ = try Small.model(in: folder)
            let path = folder.appending("small.safetensors")
            var file = try Safetensors(Small.bytes(path))
            change(&file)
            try file.encoded().write(to: URL(filePath: path.string))
            let error = #expect(throws: ModelError.self) { try Model(contentsOf: path) }
            let text = "\(try #require(error))"
            #expect(text.hasPrefix("cannot use model \(path): ") && !text.contains("\n"), "\(text)")
            return text
        }
    }

    @Test func aFileThatIsNotThisNetworksModelIsRefused() throws {
        #expect(try Self.refusal { $0.tensors["intro.bias"] = nil }.contains("missing tensor intro.bias"))
        #expect(try Self.refusal { $0.tensors["more"] = Tensor([1]) }.contains("unknown tensor more"))
        #expect(try Self.refusal { $0.tensors["intro.bias"] = Tensor([2]) }.contains("shape [2] instead of [4]"))
        #expect(try Self.refusal { $0.tensors["intro.bias"] = Tensor([4], repeating: .nan) }.contains("not finite"))
        #expect(try Self.refusal { $0.metadata["network"] = nil }.contains("lack the key network"))
        #expect(try Self.refusal { $0.metadata["network"] = "unet" }.contains("network is not known"))
        #expect(
            try Self.refusal {
                $0.metadata["network"] = #"{"nafnet":{"_0":{"width":4,"encoder":[1],"middle":1,"decoder":[]}}}"#
            }.contains("network is not known"))
    }

    @Test func aMissingOrDamagedFileIsNamed() throws {
        try withTemporaryPath { folder in
            let missing = #expect(throws: ModelError.self) { try Model(contentsOf: folder.appending("no.safetensors")) }
            #expect(missing?.description.contains("no.safetensors") == true)
            let path = folder.appending("bad.safetensors")
            try Data("nothing".utf8).write(to: URL(filePath: path.string))
            let damaged = #expect(throws: ModelError.self) { try Model(contentsOf: path) }
            #expect(damaged?.description.contains("not a valid safetensors file") == true)
        }
    }
}

@Suite struct ModelStoreTests {
    /// A state folder with the small model.
    static func withState(_ body: (FilePath, ModelStore) throws -> Void) throws {
        try withTemporaryPath { state in
            _ = try Small.model(in: Small.folder("models", in: state))
            try body(state, ModelStore(state: state))
        }
    }

    @Test func modelsAreFoundByNameAndByPath() throws {
        try Self.withState { state, store in
            let path = state.appending("models/small.safetensors")
            let (byName, byPath) = (try store.model(named: "small"), try store.model(named: path.string))
            #expect(byName.name == "small" && byPath.hash == byName.hash)
            #expect(store.available().contains(path))
        }
    }

    @Test func thePromotedModelIsTheDefault() throws {
        try Self.withState { state, store in
            let marker = URL(filePath: state.appending("models/promoted").string)
            try Data("small\n".utf8).write(to: marker)
            let promoted = try store.model(named: nil)
            #expect(promoted.name == "small")
            try Data("gone".utf8).write(to: marker)
            let error = #expect(throws: ModelError.self) { try store.model(named: nil) }
            #expect(error?.description.contains("cannot use model gone: it was promoted but is missing; ") == true)
        }
    }

    @Test func anUnknownNameListsTheKnownOnes() throws {
        try Self.withState { _, store in
            let error = #expect(throws: ModelError.self) { try store.model(named: "smal") }
            let text = error?.description ?? ""
            #expect(text.hasPrefix("cannot use model smal: there is no model of that name; use one of: "))
            #expect(text.contains("small"))
        }
    }

    @Test func hiddenAndForeignFilesAreNoModels() throws {
        try Self.withState { state, store in
            for name in [".small.safetensors.new", ".hidden.safetensors", "notes.txt"] {
                try Data().write(to: URL(filePath: state.appending("models/\(name)").string))
            }
            let own = store.available().filter { $0.starts(with: state) }
            #expect(own == [state.appending("models/small.safetensors")])
        }
    }
}
