import Denoising
import Foundation
import Imaging
import Networks
import SystemPackage
import Tensors
import TestSupport
import Testing

@Suite struct PipelineFailuresTests {
    /// Nothing may remain beside the input: no output, no temporary.
    static func failure(
        _ contents: Data, _ name: String, model: Model, in folder: FilePath
    ) throws -> String {
        let source = folder.appending(name)
        try contents.write(to: URL(filePath: source.string))
        let output = try Small.folder("out", in: folder)
        var text = ""
        do {
            _ = try Small.denoiser(model).denoise(source, into: output) { _ in }
            Issue.record("a broken photograph was denoised")
        } catch {
            text = "\(error)"
        }
        #expect(try Small.names(in: output).isEmpty)
        #expect(try Small.bytes(source) == contents)
        return text
    }

    static func expectOneLine(_ text: String, naming file: String) {
        #expect(!text.contains("\n") && text.contains(file), "\(text)")
        // Cause and remedy.
        #expect(text.contains(": ") && text.contains("; "), "\(text)")
    }

    @Test(arguments: [0, 1, 8, 40, 300]) func aTruncatedFileIsAnErrorOfOneLine(bytes: Int) throws {
        try withTemporaryPath { folder in
            let whole = folder.appending("whole.png")
            try Small.write(PipelineFilesTests.photograph(), .png, to: whole)
            let text = try Self.failure(
                Small.bytes(whole).prefix(bytes), "broken.png", model: Small.model(in: folder), in: folder)
            Self.expectOneLine(text, naming: "broken.png")
        }
    }

    @Test func aFileThatIsNoPhotographIsAnErrorOfOneLine() throws {
        try withTemporaryPath { folder in
            let text = try Self.failure(
                Data("Dear diary,\nnothing happened.\n".utf8), "new\nline.txt", model: Small.model(in: folder),
                in: folder)
            Self.expectOneLine(text, naming: "line.txt")
        }
    }

    @Test func anOutputThatIsNotFiniteIsAnErrorOfOneLine() throws {
        try withTemporaryPath { folder in
            var weights = Small.weights
            weights.tensors["ending.weight"] = Tensor([3, 4, 3, 3], repeating: .greatestFiniteMagnitude)
            let path = folder.appending("huge.safetensors")
            try Model.write(weights, of: Small.network, metadata: [:], to: path)
            let whole = folder.appending("whole.png")
            try Small.write(PipelineFilesTests.photograph(), .png, to: whole)
            let text = try Self.failure(Small.bytes(whole), "photo.png", model: Model(contentsOf: path), in: folder)
            Self.expectOneLine(text, naming: "photo.png")
        }
    }

    @Test func aMissingFolderIsAnErrorOfOneLine() throws {
        try withTemporaryPath { folder in
            let source = folder.appending("photo.png")
            try Small.write(PipelineFilesTests.photograph(), .png, to: source)
            let denoiser = try Small.denoiser(try Small.model(in: folder))
            let error = #expect(throws: ImagingError.self) {
                try denoiser.denoise(source, into: folder.appending("nowhere")) { _ in }
            }
            Self.expectOneLine("\(try #require(error))", naming: "photo-denoised.png")
        }
    }

    @Test(
        arguments: [
            { $0.strength = 1.5 }, { $0.strength = .nan }, { $0.bitDepth = 12 }, { $0.tile = 63 }, { $0.overlap = -1 },
            { $0.refinements = 65 }, { $0.threads = 0 }, { $0.nameTemplate = "same" }, { $0.nameTemplate = "{stem}/x" },
        ] as [@Sendable (inout ImageOptions) -> Void]) func optionsOutOfRangeAreRefused(
            change: @Sendable (inout ImageOptions) -> Void
        ) throws
    {
        try withTemporaryPath { folder in
            let model = try Small.model(in: folder)
            let error = #expect(throws: OptionsError.self) { try Small.denoiser(model, change) }
            #expect(error?.description.hasPrefix("--") == true)
        }
    }
}
