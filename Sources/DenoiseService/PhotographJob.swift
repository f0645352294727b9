import Denoising
import Foundation
import Ledger
import SystemPackage

/// How work on one queued photograph ended.
enum JobEnd: Sendable, Equatable {
    case done(output: FilePath)
    case duplicate(of: Int64)
    case unchanged(since: Int64)
    case skipped(reason: String)
    case cancelled(reason: String)
    case failed(reason: String)
    /// The file changed while it was denoised; it settles again.
    case changed
    /// The file changed after it was queued; it settles again.
    case withdrawn
    /// The service stopped and left the photograph to its next start.
    case abandoned
}

/// One queued photograph on its way to its output: hash, claim, denoise, check, publish. The original is only read.
struct PhotographJob {
    let photograph: QueuedPhotograph
    let denoiser: any PhotographDenoising
    let preset: String?
    let inboxes: [FilePath]
    let output: OutputFolder
    let ledger: Ledger
    let progress: ServiceProgress
    let custody: Custody

    private var id: Int64 { photograph.id }

    /// - Throws: `LedgerError`; then nothing more can be recorded and the service must end.
    func run() throws -> JobEnd {
        let content: ContentHash
        do {
            content = try ContentHash(of: photograph.path, progress: progress.beat)
        } catch {
            return try giveUp(error)
        }
        switch try ledger.claim(id, contentHash: content.text, identity: content.identity, recipe: recipe) {
        case .duplicate(let original): return .duplicate(of: original)
        case .unchanged(let original): return .unchanged(since: original)
        case .output(let original): return .skipped(reason: "the file is the output of photograph \(original)")
        case .withdrawn: return .withdrawn
        case .started: break
        }
        guard custody.take(id) else {
            try ledger.setBack(id, .abandoned)
            return .abandoned
        }
        defer { output.unstage(id) }
        do {
            let report = try denoise()
            // From here on the service waits for the job even if it shall stop.
            guard custody.keep(id) else { return .abandoned }
            defer { custody.release() }
            guard report.sourceHash == content.text else {
                try ledger.setBack(id, .changed)
                return .changed
            }
            let final = try publish(report)
            try ledger.finish(id)
            return .done(output: final)
        } catch let error as LedgerError {
            throw error
        } catch {
            guard custody.keep(id) else { return .abandoned }
            defer { custody.release() }
            let reason = Self.line("\(error)")
            try ledger.setBack(id, .failed(reason: reason))
            return .failed(reason: reason)
        }
    }

    private var recipe: Recipe {
        Recipe(
            hash: denoiser.recipeHash, modelName: denoiser.modelName, modelHash: denoiser.modelHash, preset: preset)
    }

    private func denoise() throws -> DenoisingReport {
        let folder = try output.stage(id)
        return try denoiser.denoise(photograph.path, into: folder) { fraction in
            progress.update { state in
                if state.current?.id == id { state.current?.fraction = min(max(fraction, 0), 1) }
            }
        }
    }

    /// Checks the staged output and gives it the first free name; the ledger knows each name before it is used.
    private func publish(_ report: DenoisingReport) throws -> FilePath {
        let staged = FilePath(report.output)
        guard let name = staged.lastComponent,
            try ContentHash(of: staged, progress: progress.beat).text == report.outputHash
        else {
            throw ServiceError(
                .damagedOutput, subject: report.output, cause: "the output does not hold what was written",
                remedy: "check the disk, then retry the photograph")
        }
        let folder = try output.destination(of: photograph.path, inboxes: inboxes)
        for number in 1...100_000 {
            let final = folder.appending(OutputFolder.candidate(number, for: name))
            // An existing name is passed over here; `publish` decides if two programs race for it.
            guard (try? FileStatus.of(final)) == nil else { continue }
            try ledger.prepare(id, output: OutputRecord(report, path: final))
            if try output.publish(staged, as: final) { return final }
        }
        throw ServiceError(
            .inaccessible, subject: folder.appending(name).string, cause: "100000 outputs have this name already",
            remedy: "name another output folder")
    }

    private func giveUp(_ error: any Error) throws -> JobEnd {
        let reason = Self.line("\(error)")
        switch (error as? ServiceError)?.code {
        case .vanished?:
            try ledger.giveUp(id, as: .cancelled, reason: reason)
            return .cancelled(reason: reason)
        case .notARegularFile?:
            try ledger.giveUp(id, as: .skipped, reason: reason)
            return .skipped(reason: reason)
        default:
            try ledger.giveUp(id, as: .failed, reason: reason)
            return .failed(reason: reason)
        }
    }

    private static func line(_ text: String) -> String {
        text.isEmpty ? "unknown error" : text.replacing("\n", with: " ")
    }
}

extension OutputRecord {
    init(_ report: DenoisingReport, path: FilePath) {
        self.init(
            path: path, hash: report.outputHash, width: report.width, height: report.height, passes: report.passes,
            tilePlan: report.tilePlan, camera: report.camera, lens: report.lens, iso: report.iso,
            exposure: report.exposure, metrics: report.metrics)
    }
}
