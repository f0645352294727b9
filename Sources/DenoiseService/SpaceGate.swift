/// Decides whether photographs are begun while an output's file system is short of space.
///
/// A quota or another program's reservation does not show in the free bytes, so after a write that failed the gate
/// opens again when there is visibly more space, and otherwise for one attempt after a pause.
struct SpaceGate: Sendable {
    /// Bytes that must stay free.
    var minimum: Int64
    var pause: Duration
    private var failure: (free: Int64, retry: Duration)?
    /// So much more space than at the failure is worth another attempt at once.
    static let relief: Int64 = 64 << 20

    init(minimum: Int64, pause: Duration) {
        self.minimum = minimum
        self.pause = pause
    }

    /// A write failed for lack of space.
    mutating func fail(free: Int64, at now: Duration) {
        failure = (free, now + pause)
    }

    /// - Parameter free: bytes that are free; nil if the file system does not say.
    mutating func isOpen(free: Int64?, at now: Duration) -> Bool {
        if let free, free < minimum { return false }
        guard let failure else { return true }
        guard now >= failure.retry || (free ?? 0) >= failure.free + Self.relief else { return false }
        self.failure = nil
        return true
    }
}
