import Denoising
import Foundation
import Ledger
import SystemPackage

/// How work on one queued photograph ended.
enum JobEnd: Sendable, Equatable {
    /// With a remark, if it is not what was to be expected.
    case done(output: FilePath, remark: String?)
    /// And the copy of the original's output, if it got one.
    case duplicate(of: Int64, output: FilePath?)
    case unchanged(since: Int64)
    case skipped(reason: String)
    case cancelled(reason: String)
    case failed(reason: String, retryAfter: Duration)
    case quarantined(reason: String)
    /// The file changed while it was denoised; it settles again.
    case changed
    /// The file changed after it was queued; it settles again.
    case withdrawn
    /// No output can be written; it waits.
    case postponed(Failure)
    /// The service stopped and left the photograph to its next start.
    case abandoned
}

/// One queued photograph on its way to its output: hash, claim, denoise, check, publish. The original is only read
/// until its output is durable.
struct PhotographJob {
    let photograph: QueuedPhotograph
    let settings: Settings
    let ledger: Ledger
    let patience: LedgerPatience
    let progress: ServiceProgress
    let custody: Custody
    let gate: PauseGate
    /// Runs before the work; what it throws fails the photograph.
    let prepare: () throws -> Void

    var id: Int64 { photograph.id }

    /// - Throws: `LedgerError`; then nothing more can be recorded and the service must end.
    func run() throws -> JobEnd {
        let content: ContentHash
        do {
            content = try ContentHash(of: photograph.path, progress: progress.beat)
        } catch {
            return try end(with: error)
        }
        let claim = try patience.insist {
            // The camera decides on the model, and is read from the file only after this. Whatever was denoised before
            // has its camera in the ledger; of anything else there is no twin, and its recipe is corrected later.
            let recipe = settings.denoiser.recipes[try ledger.camera(ofContent: content.text)]
            return try ledger.claim(
                id, contentHash: content.text, identity: content.identity, recipe: settings.recipe(recipe))
        }
        switch claim {
        case .duplicate(let original): return .duplicate(of: original, output: copyOutput(of: original))
        case .unchanged(let original): return .unchanged(since: original)
        case .output(let original): return .skipped(reason: "the file is the output of photograph \(original)")
        case .withdrawn: return .withdrawn
        case .started: return try work(content)
        }
    }

    private func work(_ content: ContentHash) throws -> JobEnd {
        guard custody.take(id) else {
            try ledger.setBack(id, .abandoned)
            return .abandoned
        }
        // Kept until the end is recorded, also that of an output which could not be published.
        defer {
            settings.output.unstage(id)
            custody.release()
        }
        do {
            try prepare()
            let report = try denoise()
            // From here on the service waits for the job even if it shall stop.
            guard custody.keep(id) else { return .abandoned }
            guard report.sourceHash == content.text else {
                try patience.insist { try ledger.setBack(id, .changed) }
                return .changed
            }
            let final = try publish(report)
            try patience.insist { try ledger.finish(id) }
            return .done(output: final, remark: report.remark)
        } catch let error as LedgerError {
            throw error
        } catch {
            guard custody.keep(id) else { return .abandoned }
            if (error as? ServiceError)?.code == .hookFailed, patience.isStopping() {
                try ledger.setBack(id, .abandoned)
                return .abandoned
            }
            return try end(with: error)
        }
    }

    private func denoise() throws -> DenoisingReport {
        let folder = try settings.output.stage(id)
        let (id, gate, progress) = (id, gate, progress)
        return try settings.denoiser.denoise(photograph.path, into: folder) { fraction in
            gate.hold(progress.beat)
            progress.update { state in
                if state.current?.id == id { state.current?.fraction = min(max(fraction, 0), 1) }
            }
        }
    }

    /// Records what an error means for this photograph.
    private func end(with error: any Error) throws -> JobEnd {
        let modified = Duration.nanoseconds(photograph.identity.modified)
        let failure = Failure(error, age: .seconds(Date().timeIntervalSince1970) - modified)
        let reason = failure.reason
        return try patience.insist {
            switch failure.kind {
            case .vanished:
                try ledger.giveUp(id, as: .cancelled, reason: reason)
                return .cancelled(reason: reason)
            case .irregular, .clean:
                try ledger.giveUp(id, as: .skipped, reason: reason)
                return .skipped(reason: reason)
            case .changed:
                try ledger.setBack(id, .changed)
                return .changed
            case .noSpace, .noOutput:
                try ledger.setBack(id, .postponed(reason: reason))
                return .postponed(failure)
            case .transient, .twice, .permanent:
                switch try ledger.fail(id, reason: reason, retry: settings.retryPolicy(of: failure.kind)) {
                case .retry(let pause): return .failed(reason: reason, retryAfter: pause)
                case .quarantined: return .quarantined(reason: reason)
                case .withdrawn: return .withdrawn
                }
            }
        }
    }
}
