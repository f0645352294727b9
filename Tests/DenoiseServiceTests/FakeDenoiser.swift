import Crypto
import Denoising
import Foundation
import Synchronization
import SystemPackage

/// Copies photographs instead of denoising them; fails on content that begins with "bad".
final class FakeDenoiser: PhotographDenoising {
    struct NotAPhotograph: Error, CustomStringConvertible {
        var description: String { "not a photograph;\nreplace it" }
    }

    let recipes: DenoisingRecipes
    private let before: @Sendable (FilePath) throws -> Void
    private let denoised = Mutex<[FilePath]>([])

    /// - Parameters:
    ///   - recipe: the digit of its hash.
    ///   - own: that of photographs of "Fake 1", which all are, if their camera has a model of its own.
    ///   - before: called with each photograph before it is read.
    init(
        recipe: Character = "a", own: Character? = nil, before: @escaping @Sendable (FilePath) throws -> Void = { _ in }
    ) {
        func named(_ name: String, _ digit: Character) -> DenoisingRecipe {
            DenoisingRecipe(
                hash: String(repeating: digit, count: 64), modelName: name,
                modelHash: String(repeating: "b", count: 64))
        }
        recipes = DenoisingRecipes(
            general: named("fake", recipe),
            ofCameras: Camera("Fake 1").flatMap { camera in own.map { [camera: named("own", $0)] } } ?? [:])
        self.before = before
    }

    /// The photographs so far, in order.
    var photographs: [FilePath] { denoised.withLock { $0 } }

    func denoise(
        _ photograph: FilePath, into directory: FilePath, progress: @escaping @Sendable (Double) -> Void
    ) throws -> DenoisingReport {
        denoised.withLock { $0.append(photograph) }
        try before(photograph)
        progress(0.5)
        let content = try bytes(of: photograph)
        if content.starts(with: "bad".utf8) { throw NotAPhotograph() }
        let output = directory.appending("denoised-\(photograph.stem ?? "").tiff")
        let result = content + Array("!".utf8)
        try write(result, to: output)
        return DenoisingReport(
            source: photograph.string, sourceHash: Self.hash(content), output: output.string,
            outputHash: Self.hash(result), recipe: recipes["Fake 1"], width: 3, height: 2, passes: 1,
            tilePlan: "1x1 of 3", camera: "Fake 1",
            iso: 800, metrics: ["noise_before": 10, "noise_after": 1])
    }

    private static func hash(_ bytes: [UInt8]) -> String {
        SHA256.hash(data: bytes).map { String(format: "%02x", $0) }.joined()
    }
}

func bytes(of path: FilePath) throws -> [UInt8] {
    let file = try FileDescriptor.open(path, .readOnly)
    return try file.closeAfter {
        var content = [UInt8](repeating: 0, count: 1 << 16)
        let count = try content.withUnsafeMutableBytes { try file.read(into: $0) }
        return Array(content.prefix(count))
    }
}

func write(_ content: some Sequence<UInt8>, to path: FilePath) throws {
    let file = try FileDescriptor.open(
        path, .writeOnly, options: [.create, .truncate, .closeOnExec], permissions: [.ownerReadWrite])
    _ = try file.closeAfter { try file.writeAll(content) }
}
