import Denoising
import Foundation
import Imaging
import Ledger
import SystemPackage

extension PhotographJob {
    /// Checks the staged output and gives it the first free name; the ledger knows each name before it is used.
    ///
    /// The same photograph, model and options give the same bytes, so a file that has them under the right name is this
    /// output, made before the ledger was lost: it is recognised, not made again.
    func publish(_ report: DenoisingReport) throws -> FilePath {
        let staged = FilePath(report.output)
        guard let name = staged.lastComponent,
            let content = try? ContentHash(of: staged, progress: progress.beat), content.text == report.outputHash
        else {
            throw ServiceError(
                .damagedOutput, subject: report.output, cause: "the output does not hold what was written",
                remedy: "check the disk, then retry the photograph")
        }
        let recipe = settings.recipe(report.recipe)
        Provenance(report, source: photograph.path, recipe: recipe).attach(to: staged)
        return try publish(staged, name, content) { final in
            try patience.insist { try ledger.prepare(id, output: OutputRecord(report, path: final), recipe: recipe) }
        }
    }

    /// A copy of the output of `original` under this photograph's name, if the configuration asks for it; nil if it
    /// does not or the copy cannot be made, which the duplicate's row survives.
    func copyOutput(of original: Int64) -> FilePath? {
        guard settings.configuration.watch.onDuplicate == .copy else { return nil }
        defer { settings.output.unstage(id) }
        do {
            guard let output = try ledger.output(of: original), let suffix = output.path.extension,
                let name = Self.name(settings.configuration.image.nameTemplate, photograph.path, suffix)
            else { return nil }
            let staged = try settings.output.stage(id).appending(name)
            try copy(output.path, to: staged)
            let content = try ContentHash(of: staged, progress: progress.beat)
            guard content.text == output.hash else { return nil }
            let final = try publish(staged, name, content) { final in
                try patience.insist { try ledger.prepareCopy(id, of: original, at: final) }
            }
            try patience.insist { try ledger.finishCopy(id, isPublished: true) }
            return final
        } catch {
            try? ledger.finishCopy(id, isPublished: false)
            progress.warn("duplicate", "no copy for photograph \(id): \(error)")
            return nil
        }
    }

    /// Durably, and aware of what only the end of writing reports.
    private func copy(_ path: FilePath, to staged: FilePath) throws {
        let file = try StagedFile(staged)
        let source = try FileDescriptor.open(path, .readOnly, options: [.noFollow, .nonBlocking, .closeOnExec])
        defer { try? source.close() }
        var block = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = try block.withUnsafeMutableBytes { try source.read(into: $0) }
            if count == 0 { break }
            try file.write(Array(block[..<count]))
            progress.beat()
        }
        _ = try file.finish()
    }

    /// The template with the bytes of the source's stem, which need not be text.
    private static func name(_ template: String, _ source: FilePath, _ suffix: String) -> FilePath.Component? {
        var stem = FilePath(root: nil, [source.lastComponent].compactMap { $0 })
        stem.extension = nil
        let bytes = stem.withPlatformString { Array(UnsafeBufferPointer(start: $0, count: stem.length)) }
        let parts = template.components(separatedBy: "{stem}").map { $0.utf8.map { CChar(truncatingIfNeeded: $0) } }
        let name = Array(parts.joined(separator: bytes)) + ".\(suffix)".utf8.map { CChar(truncatingIfNeeded: $0) } + [0]
        return name.withUnsafeBufferPointer { buffer in
            buffer.baseAddress.flatMap { FilePath.Component(platformString: $0) }
        }
    }

    private func publish(
        _ staged: FilePath, _ name: FilePath.Component, _ content: ContentHash, record: (FilePath) throws -> Void
    ) throws -> FilePath {
        let folder = try settings.output.destination(
            of: photograph.path, inboxes: settings.configuration.watch.paths)
        for number in 1...100_000 {
            let final = folder.appending(OutputFolder.candidate(number, for: name))
            // An existing name is passed over here; `publish` decides if two programs race for it.
            if let existing = try? FileStatus.of(final) {
                guard existing.kind == .file, existing.identity.size == content.identity.size,
                    (try? ContentHash(of: final, progress: progress.beat))?.text == content.text,
                    try !ledger.hasOutput(at: final)
                else { continue }
                try record(final)
                try settings.output.synchronize(folder)
                return final
            }
            try record(final)
            if try settings.output.publish(staged, as: final) { return final }
        }
        throw ServiceError(
            .inaccessible, subject: folder.appending(name).string, cause: "100000 outputs have this name already",
            remedy: "name another output folder")
    }
}

extension OutputRecord {
    init(_ report: DenoisingReport, path: FilePath) {
        self.init(
            path: path, hash: report.outputHash, width: report.width, height: report.height, passes: report.passes,
            tilePlan: report.tilePlan, remark: report.remark, camera: report.camera, lens: report.lens, iso: report.iso,
            exposure: report.exposure, metrics: report.metrics)
    }
}
