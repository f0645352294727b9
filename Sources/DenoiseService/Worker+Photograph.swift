import Foundation
import Ledger
import Logging
import SystemPackage

/// The work on one photograph and what surrounds it: progress, log, hooks and the original.
extension Worker {
    func work(on next: QueuedPhotograph, _ settings: Settings) throws -> JobEnd {
        let start = time()
        progress.update {
            $0.obstacle = nil
            $0.current = ProgressState.Current(
                id: next.id, name: printable(next.path.lastComponent?.string ?? ""), fraction: 0, since: start)
        }
        var about: Logger.Metadata = [
            "photograph.id": "\(next.id)", "photograph.source": "\(printable(next.path.string))",
        ]
        logger.info("photograph started", metadata: about)
        let job = PhotographJob(
            photograph: next, settings: settings, ledger: ledger, patience: patience, progress: progress,
            custody: custody, gate: gate,
            prepare: { try self.run(settings.configuration.hooks.pre, next, settings, status: .running) })
        let end = try job.run()
        let duration = time() - start
        count(end, duration)
        about["photograph.seconds"] = "\((duration / .seconds(1) * 1000).rounded() / 1000)"
        log(end, about)
        conclude(end, next, settings, about)
        return end
    }

    private func count(_ end: JobEnd, _ duration: Duration) {
        progress.update { state in
            state.current = nil
            switch end {
            case .changed, .withdrawn, .abandoned, .postponed: return
            case .done, .duplicate, .unchanged, .skipped, .cancelled, .failed, .quarantined: state.finished += 1
            }
            switch end {
            case .failed, .quarantined: state.failed += 1
            case .done:
                state.denoised += 1
                state.workTime += duration
            default: break
            }
        }
    }

    private func log(_ end: JobEnd, _ about: Logger.Metadata) {
        var about = about
        switch end {
        case .done(let output, let remark):
            about["photograph.output"] = "\(printable(output.string))"
            if let remark { about["photograph.reason"] = "\(printable(remark))" }
            logger.info("photograph done", metadata: about)
        case .duplicate(let original, let output):
            about["photograph.original"] = "\(original)"
            if let output { about["photograph.output"] = "\(printable(output.string))" }
            logger.info("photograph already known", metadata: about)
        case .unchanged(let original):
            about["photograph.original"] = "\(original)"
            logger.info("photograph already known", metadata: about)
        case .skipped(let reason), .cancelled(let reason):
            about["photograph.reason"] = "\(printable(reason))"
            logger.info("photograph passed over", metadata: about)
        case .failed(let reason, let pause):
            about["photograph.reason"] = "\(printable(reason))"
            about["photograph.retry"] = "\(ConfigurationKey.text(pause))"
            logger.error("photograph failed", metadata: about)
        case .quarantined(let reason):
            about["photograph.reason"] = "\(printable(reason))"
            logger.error("photograph quarantined", metadata: about)
        case .postponed(let failure):
            about["photograph.reason"] = "\(printable(failure.reason))"
            logger.warning("photograph postponed", metadata: about)
        case .changed, .withdrawn: logger.info("photograph changed meanwhile", metadata: about)
        case .abandoned: break
        }
    }

    /// What follows when the ledger knows the end: the original moves, and the operator's hook hears of it.
    private func conclude(_ end: JobEnd, _ next: QueuedPhotograph, _ settings: Settings, _ about: Logger.Metadata) {
        let status: PhotographState
        switch end {
        case .done: status = .done
        case .duplicate: status = .duplicate
        case .skipped: status = .skipped
        case .failed: status = .failed
        case .quarantined: status = .quarantined
        case .unchanged, .cancelled, .changed, .withdrawn, .postponed, .abandoned: return
        }
        do {
            switch end {
            case .done, .duplicate(_, .some): try settleOriginal(next, settings, about)
            default: break
            }
            try run(settings.configuration.hooks.post, next, settings, status: status, end: end)
        } catch {
            var about = about
            about["error"] = "\(printable("\(error)"))"
            logger.warning("photograph is at its end, yet not all that shall follow was done", metadata: about)
        }
    }

    private func settleOriginal(_ next: QueuedPhotograph, _ settings: Settings, _ about: Logger.Metadata) throws {
        let watch = settings.configuration.watch
        guard watch.onSuccess != .keep, let hash = try ledger.show(next.id).contentHash,
            let identity = try ledger.sightings(of: [next.path])[next.path]?.identity
        else { return }
        if let links = try? FileStatus.of(next.path).links, links > 1 {
            logger.warning("original has other names, which stay", metadata: about)
        }
        let originals = Originals(mode: watch.onSuccess, inboxes: watch.paths)
        let target = try originals.settle(next.path, ContentHash(text: hash, identity: identity))
        var about = about
        if let target { about["photograph.archive"] = "\(printable(target.string))" }
        logger.info(target == nil ? "original deleted" : "original archived", metadata: about)
    }

    private func run(
        _ program: FilePath?, _ next: QueuedPhotograph, _ settings: Settings, status: PhotographState,
        end: JobEnd? = nil
    ) throws {
        guard let program else { return }
        var output: FilePath?
        var reason = ""
        switch end {
        case .done(let path, let remark):
            output = path
            reason = remark ?? ""
        case .duplicate(_, let path): output = path
        case .failed(let text, _), .quarantined(let text), .skipped(let text): reason = text
        default: break
        }
        try Hook(program: program, timeout: settings.configuration.hooks.timeout).run(
            [
                ("DENOISED_SOURCE", Self.bytes(next.path)), ("DENOISED_OUTPUT", output.map(Self.bytes) ?? []),
                ("DENOISED_JOB_ID", Array("\(next.id)".utf8)), ("DENOISED_STATUS", Array(status.rawValue.utf8)),
                ("DENOISED_REASON", Array(reason.utf8)),
            ], beat: progress.beat, isCancelled: { self.isStopping })
    }

    private static func bytes(_ path: FilePath) -> [UInt8] {
        path.withPlatformString {
            Array(UnsafeBufferPointer(start: $0, count: path.length)).map { UInt8(truncatingIfNeeded: $0) }
        }
    }
}
