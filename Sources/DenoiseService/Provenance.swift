import Denoising
import Foundation
import Imaging
import Ledger
import SystemPackage

/// What an output was made of, kept beside it, so that a ledger can be rebuilt from the outputs alone.
struct Provenance: Codable, Equatable {
    /// The original's path, as the bytes that it has.
    var source: Data
    /// SHA-256 of the original and of the output.
    var content: String
    var output: String
    var recipe: String
    var model: String
    var modelHash: String
    var preset: String?
    var width: Int
    var height: Int
    var passes: Int
    var tilePlan: String
    var remark: String?
    var camera: String?
    var lens: String?
    var iso: Double?
    var exposure: Double?
    /// The figures of `history`, which is asked for them most; there is not room for all.
    var metrics: [String: Double]

    private static let keptMetrics = ["noise_before", "noise_after", "seconds", "megapixels"]

    init(_ report: DenoisingReport, source: FilePath, recipe: Recipe) {
        self.source = source.withPlatformString { Data(bytes: $0, count: source.length) }
        content = report.sourceHash
        output = report.outputHash
        self.recipe = recipe.hash
        model = recipe.modelName
        modelHash = recipe.modelHash
        preset = recipe.preset
        width = report.width
        height = report.height
        passes = report.passes
        tilePlan = report.tilePlan
        remark = report.remark
        camera = report.camera
        lens = report.lens
        iso = report.iso
        exposure = report.exposure
        metrics = report.metrics.filter { Self.keptMetrics.contains($0.key) && $0.value.isFinite }
    }

    /// What `path` says of itself; nil if it says nothing.
    init?(of path: FilePath) {
        guard let note = FileNote.read(path), let value = try? JSONDecoder().decode(Self.self, from: Data(note)),
            !value.source.isEmpty, !value.source.contains(0)
        else { return nil }
        self = value
    }

    /// Whether the bytes of `path` are still those that this tells of.
    func isTrue(of path: FilePath) -> Bool { (try? ContentHash(of: path))?.text == output }

    /// Not every file system can keep it, and the ledger knows it as well: what cannot be kept is left out.
    func attach(to path: FilePath) {
        guard let text = try? JSONEncoder().encode(self) else { return }
        _ = FileNote.write(Array(text), to: path)
    }

    /// As the ledger would have it, of the output at `path`.
    func finished(at path: FilePath) -> FinishedPhotograph {
        FinishedPhotograph(
            source: (source + [0]).withUnsafeBytes { bytes in
                bytes.withMemoryRebound(to: CInterop.PlatformChar.self) { text in
                    text.baseAddress.map { FilePath(platformString: $0) } ?? FilePath()
                }
            },
            contentHash: content,
            recipe: Recipe(hash: recipe, modelName: model, modelHash: modelHash, preset: preset),
            output: OutputRecord(
                path: path, hash: output, width: width, height: height, passes: passes, tilePlan: tilePlan,
                remark: remark, camera: camera, lens: lens, iso: iso, exposure: exposure, metrics: metrics))
    }
}
