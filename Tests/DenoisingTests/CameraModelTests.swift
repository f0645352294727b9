import Foundation
import Imaging
import SystemPackage
import TestSupport
import Testing

@testable import Denoising

@Suite struct CameraTests {
    @Test(arguments: [
        ("Canon EOS 5D", "canoneos5d"), ("canon eos-5d ", "canoneos5d"), ("NIKON D750", "nikond750"),
        ("promoted", "promoted"), ("X\u{0}_T3\n", "xt3"),
    ])
    func namesAreReducedToLowercaseLettersAndDigits(_ text: String, _ name: String) {
        #expect(Camera(text)?.name == name)
    }

    @Test(arguments: ["", " ", "\n\t", "--", "_", "\u{0}"]) func aCameraWithoutANameIsNone(text: String) {
        #expect(Camera(text) == nil)
        #expect(Camera(nil) == nil)
    }

    @Test(arguments: [
        "../../etc/passwd", "/", ".", "..", "名", "Galaxy S8+", "a\"b;c", "🦄", "Ä", String(repeating: "x", count: 49),
        String(repeating: "ä", count: 5000),
    ])
    func anyNameIsSafeAndReducedOnlyOnce(text: String) throws {
        let camera = try #require(Camera(text))
        #expect((1...48).contains(camera.name.utf8.count))
        #expect(camera.name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) }, "\(camera)")
        #expect(Camera(camera.name) == camera)
    }

    /// Whatever is left out may be all that tells them apart.
    @Test func camerasThatDifferInMoreThanSpacesAreNotTakenForEachOther() {
        let long = String(repeating: "x", count: 60)
        let names = ["Galaxy S8", "Galaxy S8+", "名", "字", "/", "//", "a/b", "a.b", "ab", long, long + "y", "Ä", "A"]
        #expect(Set(names.compactMap { Camera($0) }).count == names.count)
        #expect(Camera("\u{E4}") == Camera("a\u{308}"))
    }
}

/// Cameras with models of their own: promoted, taken back, chosen.
@Suite struct CameraModelTests {
    private let canon = Camera("Canon EOS 5D")

    @Test func aCamerasModelIsPromotedAndTakenBackBesideTheGeneralOne() throws {
        try ModelPromotionTests.withModels { store, state, paths in
            _ = try store.promote(paths.a.string)
            #expect(store.cameras.isEmpty)
            #expect(try store.promote(paths.b.string, for: canon).name == "b")
            #expect(try store.promote("a", for: canon).name == "a")
            #expect(store.promotions(for: canon) == ["a", "b"] && store.promotions == ["a"])
            #expect(
                try Small.names(in: state.appending("models")) == [
                    "a.safetensors", "b.safetensors", "promoted", "promoted-canoneos5d",
                ])
            #expect(try store.rollback(for: canon).name == "b")
            #expect(try store.model(named: nil, for: canon).name == "b")
            #expect(try store.model(named: nil, for: Camera("NIKON D750")).name == "a")
            #expect(store.cameras == [canon])
            // Then it is served by the general model again.
            #expect(try store.rollback(for: canon).name == "a")
            #expect(try store.model(named: nil, for: canon).name == "a")
            #expect(store.cameras.isEmpty && store.promotions == ["a"])
            let error = #expect(throws: ModelError.self) { try store.rollback(for: canon) }
            #expect(error?.description.contains("no model was promoted for canoneos5d") == true)
        }
    }

    @Test func filesThatOnlyLookAlikeAreNoCameras() throws {
        try ModelPromotionTests.withModels { store, state, paths in
            _ = try store.promote(paths.a.string, for: canon)
            for name in ["promoted-", "promoted-Canon EOS 6D", "promoted-x.bak", ".promoted-y", "promotedz"] {
                try Data("a\n".utf8).write(to: URL(filePath: state.appending("models/\(name)").string))
            }
            #expect(store.cameras == [canon])
        }
    }

    /// A noisy photograph of a camera.
    private func photograph(_ camera: String?, _ folder: FilePath, _ name: FilePath.Component = "a.png") throws
        -> FilePath
    {
        let pixels = PixelBuffer(interleaving: Scenes.noisy(Scenes.clean(1), deviation: 10, seed: 1))
        let path = folder.appending(name)
        try Small.write(
            Photograph(pixels: pixels, metadata: Metadata(model: camera), format: .png), .png, to: path)
        return path
    }

    private var options: ImageOptions {
        var options = ImageOptions()
        options.preset = .balanced
        options.threads = 1
        options.seed = 1
        return options
    }

    @Test func aPhotographIsDenoisedByTheModelOfItsCamera() throws {
        try withTemporaryPath { folder in
            let state = folder.appending("state")
            let store = ModelStore(state: state)
            let models = (
                general: try Scenes.model(0.1, in: folder, name: "general"),
                own: try Scenes.model(0.4, in: folder, name: "own")
            )
            _ = try store.promote(folder.appending("general.safetensors").string)
            _ = try store.promote(folder.appending("own.safetensors").string, for: canon)
            let denoiser = try PhotographDenoiser(options: options, state: state)
            for (camera, model) in [
                ("Canon EOS 5D", models.own), ("NIKON D750", models.general), (nil, models.general),
                ("canon eos-5D", models.own),
            ] {
                let source = try photograph(camera, try Small.folder("\(camera ?? "none")", in: folder))
                let report = try denoiser.denoise(source, into: folder) { _ in }
                #expect(report.recipe.modelName == model.name && report.recipe.modelHash == model.hash)
                #expect(report.recipe == denoiser.recipes[camera])
                // What that model alone makes of it, under the recipe that a denoiser of it alone would have.
                let alone = try PhotographDenoiser(options: options, model: model)
                let expected = try alone.denoise(source, into: folder) { _ in }
                #expect(report.recipe == expected.recipe)
                #expect(report.outputHash == expected.outputHash)
            }
        }
    }

    @Test func aModelThatIsNamedIsUsedForEveryCamera() throws {
        try ModelPromotionTests.withModels { store, state, paths in
            _ = try store.promote(paths.b.string, for: canon)
            var options = options
            options.model = paths.a.string
            let recipes = try PhotographDenoiser(options: options, state: state).recipes
            #expect(recipes.ofCameras.isEmpty && recipes["Canon EOS 5D"].modelName == "a")
            options.model = nil
            options.method = .zsn2n
            #expect(try PhotographDenoiser(options: options, state: state).recipes.ofCameras.isEmpty)
        }
    }

    @Test func aCamerasModelThatIsMissingOrAnotherByNowIsSaid() throws {
        try ModelPromotionTests.withModels { store, state, paths in
            _ = try store.promote(paths.a.string)
            _ = try store.promote(paths.b.string, for: canon)
            let source = try photograph("Canon EOS 5D", state)
            let denoiser = try PhotographDenoiser(options: options, state: state)
            let own = URL(filePath: state.appending("models/b.safetensors").string)
            try Small.bytes(paths.a).write(to: own)
            let changed = #expect(throws: ModelError.self) { try denoiser.denoise(source, into: state) { _ in } }
            #expect(changed?.description.contains("the file changed since it was chosen for canoneos5d") == true)
            try FileManager.default.removeItem(at: own)
            let missing = #expect(throws: ModelError.self) { try PhotographDenoiser(options: options, state: state) }
            #expect(missing?.description.contains("models/promoted-canoneos5d") == true)
        }
    }

    /// A run is interrupted; meanwhile its camera gets a model of its own.
    @Test func tilesOfAnotherModelAreNotGoneOnWith() throws {
        try withTemporaryPath { folder in
            let store = ModelStore(state: folder.appending("state"))
            for (name, scale) in [("general", Float(0.1)), ("own", 0.4)] {
                _ = try Scenes.model(scale, in: folder, name: name)
            }
            _ = try store.promote(folder.appending("general.safetensors").string)
            let source = try photograph("Canon EOS 5D", folder)
            let tiles = folder.appending("tiles")
            let kept = folder.appending("kept")
            var options = options
            (options.tile, options.overlap) = (64, 8)
            func resumed() throws -> Double? {
                let denoiser = try PhotographDenoiser(
                    options: options, state: folder.appending("state"),
                    checkpoints: TileCheckpoints(folder: tiles, delay: .zero))
                return try denoiser.denoise(source, into: folder) { done in
                    if done > 0.5 { try? FileManager.default.copyItem(atPath: tiles.string, toPath: kept.string) }
                }.metrics["tiles_resumed"]
            }
            func interrupt() throws {
                try FileManager.default.removeItem(atPath: tiles.string)
                try FileManager.default.copyItem(atPath: kept.string, toPath: tiles.string)
            }
            #expect(try resumed() == 0)
            try interrupt()
            #expect(try resumed() ?? 0 > 0)
            try interrupt()
            _ = try store.promote(folder.appending("own.safetensors").string, for: canon)
            #expect(try resumed() == 0)
        }
    }

    @Test func capturesOfOneCameraAreFoundByWhatTheySay() throws {
        try withTemporaryPath { folder in
            _ = try photograph("Canon EOS 5D", folder, "a.png")
            _ = try photograph("NIKON D750", folder, "b.png")
            _ = try photograph(nil, folder, "c.png")
            try Data("x".utf8).write(to: URL(filePath: folder.appending("d.txt").string))
            var skipped: [String] = []
            let found = try CaptureSet(folders: [folder], of: canon) { skipped.append($0) }
            #expect(found.heldOut.map(\.name).allSatisfy { $0.hasSuffix("a.png") } && found.count == 1)
            // Those of others are not worth a word.
            #expect(skipped.count == 1 && skipped[0].contains("d.txt"))
            #expect(try CaptureSet(folders: [folder]) { _ in }.count == 3)
        }
    }
}
