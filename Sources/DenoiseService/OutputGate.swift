/// Decides whether photographs are begun while outputs cannot be written: for want of space, or of rights.
///
/// A quota or another program's reservation does not show in the free bytes, so after a write that failed the gate
/// opens again when there is visibly more space, and otherwise for one attempt after a pause.
struct OutputGate: Sendable {
    /// Bytes that must stay free.
    var minimum: Int64
    var pause: Duration
    private var closed: (failure: Failure, free: Int64, retry: Duration)?
    /// So much more space than at the failure is worth another attempt at once.
    static let relief: Int64 = 64 << 20

    init(minimum: Int64, pause: Duration) {
        self.minimum = minimum
        self.pause = pause
    }

    /// What closed the gate, if not the minimum.
    var failure: Failure? { closed?.failure }

    /// No output could be written.
    mutating func fail(_ failure: Failure, free: Int64, at now: Duration) {
        closed = (failure, free, now + pause)
    }

    /// - Parameter free: bytes that are free; nil if the file system does not say.
    mutating func isOpen(free: Int64?, at now: Duration) -> Bool {
        if let free, free < minimum { return false }
        guard let closed else { return true }
        guard now >= closed.retry || (free ?? 0) >= closed.free + Self.relief else { return false }
        self.closed = nil
        return true
    }
}
