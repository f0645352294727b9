import Foundation
import Methods
import Networks
import SystemPackage
import Tensors
import TestSupport
import Testing

@testable import Denoising

@Suite struct ModelImportTests {
    static func fixture(_ name: String) -> FilePath { FilePath(Fixtures.url("Torch/\(name)").path) }

    @Test func anAMSNetCheckpointBecomesAModelThatSaysWhatItIs() throws {
        try withTemporaryPath { folder in
            let path = folder.appending("imported.safetensors")
            try ModelImport(contentsOf: Self.fixture("lightning.ckpt")).write(to: path, metadata: ["licence": "MIT"])
            let model = try Model(contentsOf: path)
            #expect(model.network.configuration == .nafnet(.init(width: 4, encoder: [1], middle: 1, decoder: [1])))
            #expect(model.hiddenPixels == .zero && model.stride == nil && model.replacement == 0.16)
            #expect(model.metadata["variant"] == "P" && model.metadata["licence"] == "MIT")
            #expect(model.metadata["source"] == "lightning.ckpt")
            #expect(model.metadata["source_sha256"]?.count == 64)
            let saved = try Safetensors(Fixtures.data("Torch/nafnet.safetensors")).tensors
            #expect(model.weights.tensors.mapValues(\.values) == saved.mapValues(\.values))
        }
    }

    /// Weights that learned to find an interpolation in the place of hidden pixels are no use with zeros there.
    @Test(arguments: HiddenPixels.allCases, [ModelImport.Variant.masked, .plain])
    func whatStoodInThePlaceOfHiddenPixelsIsKept(filling: HiddenPixels, variant: ModelImport.Variant) throws {
        try withTemporaryPath { folder in
            let path = folder.appending("imported.safetensors")
            try ModelImport(contentsOf: Self.fixture("lightning.ckpt"))
                .write(to: path, variant: variant, hiddenPixels: filling)
            let said = try Model(contentsOf: path).metadata["hidden_pixels"]
            #expect(said == (variant == .plain ? nil : filling.rawValue))
        }
    }

    @Test func aSupervisedCheckpointIsPlainAndDenoisesAsItsNetworkDoes() throws {
        try withTemporaryPath { folder in
            let path = folder.appending("imported.safetensors")
            try ModelImport(contentsOf: Self.fixture("basicsr.pth")).write(to: path)
            let model = try Model(contentsOf: path)
            #expect(model.metadata["variant"] == "plain" && model.metadata["stride"] == nil)
            #expect(ModelVerification(of: model).isSound)
        }
    }

    @Test(arguments: [nil, BayesianDBSN.Noise.awgn]) func dbsnsDictionariesBecomeAModelForItsMethod(
        noise: BayesianDBSN.Noise?
    ) throws {
        try withTemporaryPath { folder in
            let path = folder.appending("imported.safetensors")
            let checkpoint = FilePath(Fixtures.url("DBSN/authors.pth").path)
            try ModelImport(contentsOf: checkpoint, noise: noise).write(to: path)
            let model = try Model(contentsOf: path)
            #expect((model.network as? BayesianDBSN)?.noiseModel == noise ?? .heteroscedastic)
            #expect(model.metadata["variant"] == "dbsn" && model.metadata["hidden_pixels"] == nil)
            #expect(model.metadata["noise_model"] == (noise ?? .heteroscedastic).rawValue)
            #expect(model.plainStride == 1 && ModelVerification(of: model).isSound)
        }
    }

    @Test func aModelFileIsNotReplacedUnasked() throws {
        try withTemporaryPath { folder in
            let path = folder.appending("imported.safetensors")
            let read = try ModelImport(contentsOf: Self.fixture("parallel.pt"))
            try read.write(to: path)
            let before = try Small.bytes(path)
            #expect(throws: (any Error).self) { try read.write(to: path, variant: .masked) }
            #expect(try Small.bytes(path) == before)
            try read.write(to: path, variant: .masked, replacing: true)
            #expect(try Small.bytes(path) != before)
            #expect(try Small.names(in: folder) == ["imported.safetensors"])
        }
    }

    @Test(arguments: [
        ("calls.pth", "it calls for posix.system"), ("legacy.pth", "before torch 1.6"),
        ("kinds.pth", "its tensors belong to no network that is known"), ("nowhere.pth", "check the name"),
        ("make.py", "not a valid safetensors file"),
    ]) func whatIsNoCheckpointOfOursIsRefusedByName(name: String, cause: String) {
        let error = #expect(throws: ModelError.self) { try ModelImport(contentsOf: Self.fixture(name)) }
        let text = error?.description ?? ""
        #expect(text.hasPrefix("cannot use model ") && text.contains(name) && text.contains(cause), "\(text)")
    }
}

@Suite struct ModelVerificationTests {
    @Test func aModelIsSoundAsWritten() throws {
        try withTemporaryPath { folder in
            let verification = ModelVerification(of: try Small.model(in: folder))
            #expect(verification.weightsMatch == true)
            #expect(verification.deviation == 0)
            #expect(verification.isSound)
        }
    }

    /// Reads the small model back after a change of its file.
    static func verification(_ change: (inout Safetensors) -> Void) throws -> ModelVerification {
        try withTemporaryPath { folder in
            _ = try Small.model(in: folder)
            let path = folder.appending("small.safetensors")
            var file = try Safetensors(Small.bytes(path))
            change(&file)
            try file.encoded().write(to: URL(filePath: path.string))
            return ModelVerification(of: try Model(contentsOf: path))
        }
    }

    @Test func aChangedWeightIsFoundTwice() throws {
        let changed = try Self.verification { file in
            file.tensors["intro.weight"]?.withMutablePointer { $0[40] += 0.5 }
        }
        #expect(changed.weightsMatch == false && changed.deviation ?? 0 > ModelVerification.tolerance)
        #expect(!changed.isSound)
        // One bit of one weight changes no output that anyone sees, and still the digest.
        let bit = try Self.verification { file in
            file.tensors["intro.weight"]?.withMutablePointer { $0[40] = $0[40].nextUp }
        }
        #expect(bit.weightsMatch == false && bit.deviation ?? 1 < ModelVerification.tolerance && !bit.isSound)
    }

    @Test func recordsThatAreMissingOrBrokenAreNotProof() throws {
        let none = try Self.verification { $0.metadata = $0.metadata.filter { $0.key == "network" } }
        #expect(none.weightsMatch == nil && none.deviation == nil && none.isSound)
        for text in ["", "{}", #"{"seed":1,"side":33,"values":[]}"#, #"{"seed":1,"side":1000000,"values":[1]}"#] {
            #expect(try !Self.verification { $0.metadata["self_test"] = text }.isSound, "\(text)")
        }
    }

    @Test func weightsWhoseOutputsAreNotFiniteHaveNoSelfTest() throws {
        var weights = Small.weights
        weights.tensors["ending.weight"] = Tensor([3, 4, 3, 3], repeating: .greatestFiniteMagnitude)
        #expect(SelfTest(of: Small.network, weights) == nil)
    }
}

@Suite struct ModelPromotionTests {
    /// A state folder without models, and two models beside it.
    static func withModels(_ body: (ModelStore, FilePath, (a: FilePath, b: FilePath)) throws -> Void) throws {
        try withTemporaryPath { folder in
            let paths = (a: folder.appending("a.safetensors"), b: folder.appending("b.safetensors"))
            try Model.write(Small.weights, of: Small.network, metadata: ["data": "a"], to: paths.a)
            try Model.write(Small.weights, of: Small.network, metadata: ["data": "b"], to: paths.b)
            let state = folder.appending("state")
            try body(ModelStore(state: state), state, paths)
        }
    }

    @Test func promotionAndRollbackGoThereAndBack() throws {
        try Self.withModels { store, state, paths in
            #expect(store.promotions.isEmpty)
            let first = try store.promote(paths.a.string)
            #expect(first.name == "a")
            #expect(try store.promote(paths.b.string).name == "b")
            #expect(try store.promote("b").name == "b")
            #expect(store.promotions == ["b", "a"])
            #expect(try store.model(named: nil).metadata["data"] == "b")
            #expect(try store.rollback().name == "a")
            #expect(try store.model(named: nil).metadata["data"] == "a")
            #expect(try Small.names(in: state.appending("models")) == ["a.safetensors", "b.safetensors", "promoted"])
        }
    }

    @Test func anotherModelOfTheSameNameIsNotReplaced() throws {
        try Self.withModels { store, state, paths in
            _ = try store.promote(paths.a.string)
            let before = try Small.bytes(state.appending("models/a.safetensors"))
            try Small.bytes(paths.b).write(to: URL(filePath: paths.a.string))
            let error = #expect(throws: ModelError.self) { try store.promote(paths.a.string) }
            #expect(error?.description.contains("another model named a") == true)
            #expect(try Small.bytes(state.appending("models/a.safetensors")) == before)
        }
    }

    @Test func nothingIsPromotedThatCannotBeRead() throws {
        try Self.withModels { store, state, paths in
            _ = try store.promote(paths.a.string)
            try Data("nothing".utf8).write(to: URL(filePath: paths.b.string))
            #expect(throws: ModelError.self) { try store.promote(paths.b.string) }
            #expect(throws: ModelError.self) { try store.promote("missing") }
            #expect(store.promotions == ["a"])
            #expect(try Small.names(in: state.appending("models")) == ["a.safetensors", "promoted"])
        }
    }

    @Test func rollingBackWithoutAPromotionIsAnError() throws {
        try Self.withModels { store, _, _ in
            let error = #expect(throws: ModelError.self) { try store.rollback() }
            #expect(error?.description.contains("no model was promoted") == true)
            #expect(throws: ModelError.self) { try ModelStore(state: nil).rollback() }
        }
    }
}
