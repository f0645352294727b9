import Ledger
import Logging
import SystemPackage

/// Brings the ledger in order after an earlier daemon, whatever ended it.
struct Takeover {
    let ledger: Ledger
    let output: OutputFolder
    let logger: Logger

    /// - Throws: `ServiceError` or `LedgerError`.
    func run() throws {
        let recovery = try ledger.recover(maximumInterruptions: Daemon.maximumInterruptions)
        for pending in recovery.pending {
            // A killed service may have got as far as the final name; then nothing is left to do but to say so.
            if try isPublished(pending) {
                try ledger.finish(pending.id)
                logger.info("photograph was complete", metadata: ["photograph.id": "\(pending.id)"])
            } else {
                try ledger.setBack(pending.id, .abandoned)
            }
        }
        for pending in try ledger.pendingCopies() {
            try ledger.finishCopy(pending.id, isPublished: try isPublished(pending))
        }
        for id in recovery.requeued {
            logger.info("photograph queued again", metadata: ["photograph.id": "\(id)"])
        }
        for id in recovery.quarantined {
            logger.error("photograph quarantined", metadata: ["photograph.id": "\(id)"])
        }
    }

    /// Whether the output has its name; if so its name is made durable.
    private func isPublished(_ pending: PendingOutput) throws -> Bool {
        guard let content = try? ContentHash(of: pending.path), content.text == pending.hash else { return false }
        try output.synchronize(pending.path.removingLastComponent())
        return true
    }
}
