/// Where a photograph stands, as the ledger's `photographs.state` spells it.
public enum PhotographState: String, Sendable, CaseIterable, Codable {
    /// Seen in an inbox, perhaps still being written.
    case settling
    /// Complete and waiting for a worker.
    case queued
    /// Being denoised.
    case running
    /// Denoised; the output is being checked and published.
    case verifying
    /// The output is durable under its final name.
    case done
    /// Needs no work, for example because it is itself an output.
    case skipped
    /// The same content was already denoised with the same recipe.
    case duplicate
    /// The latest attempt ended with an error that may pass; it is tried again.
    case failed
    /// Set aside: an error that does not pass, too many failures, or it ended the daemon repeatedly.
    case quarantined
    /// Given up before work began, for example because the file disappeared.
    case cancelled

    /// Whether nothing more happens to the photograph unless it changes or someone asks.
    public var isFinal: Bool {
        switch self {
        case .settling, .queued, .running, .verifying: false
        case .done, .skipped, .duplicate, .failed, .quarantined, .cancelled: true
        }
    }

    /// Whether `retry` may put the photograph back into the queue.
    public var isRetryable: Bool {
        switch self {
        case .failed, .quarantined, .cancelled, .skipped: true
        case .settling, .queued, .running, .verifying, .done, .duplicate: false
        }
    }
}
