import Ledger

/// Which failed photographs are due. Knows no clock: the caller says when it is, in time that never jumps.
struct RetrySchedule: Sendable {
    private var due: [Int64: Duration] = [:]

    /// - Parameter pending: what the ledger remembers of an earlier daemon.
    init(_ pending: [PendingRetry], at now: Duration) {
        for retry in pending { due[retry.id] = now + retry.remaining }
    }

    /// A photograph failed and is tried again after `pause`.
    mutating func add(_ id: Int64, after pause: Duration, at now: Duration) { due[id] = now + pause }

    /// Takes the photographs whose pause is over, in the order of their pauses' ends.
    mutating func take(at now: Duration) -> [Int64] {
        let ids = due.filter { $0.value <= now }.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.map(\.key)
        for id in ids { due[id] = nil }
        return ids
    }

    /// When the next photograph is due; nil if none waits.
    var next: Duration? { due.values.min() }
}
