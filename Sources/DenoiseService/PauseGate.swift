import Foundation

/// Holds work up while the operator wants the machine for something else.
final class PauseGate: @unchecked Sendable {
    // Every access to what follows is between `condition.lock()` and `unlock()`.
    private let condition = NSCondition()
    private var pause: Pause?
    private var isOpenForGood = false

    struct Pause: Sendable, Equatable {
        /// When it ends by itself; nil for never.
        var end: Duration?
        /// Whether the photograph in work is finished first; otherwise it is held where it is.
        var drains: Bool

        /// "paused, 12 min left".
        func text(at now: Duration) -> String {
            "paused" + (end.map { ", \(ProgressState.readable(max($0 - now, .zero))) left" } ?? "")
        }
    }

    private let time: MonotonicTime

    init(time: @escaping MonotonicTime) {
        self.time = time
    }

    /// The pause that holds now; one whose time is over is none.
    var current: Pause? { condition.withLock { pauseNow() } }

    /// - Parameter duration: nil until `resume`.
    func pause(for duration: Duration?, drains: Bool) {
        condition.withLock { pause = Pause(end: duration.map { time() + $0 }, drains: drains) }
    }

    func resume() {
        condition.withLock {
            pause = nil
            condition.broadcast()
        }
    }

    /// Nobody is held any more, because the service ends.
    func openForGood() {
        condition.withLock {
            isOpenForGood = true
            condition.broadcast()
        }
    }

    /// For the photograph in work: returns when it may go on.
    ///
    /// - Parameter beat: called again and again, since being held is no hang.
    func hold(_ beat: () -> Void) {
        condition.withLock {
            while let pause = pauseNow(), !pause.drains, !isOpenForGood {
                beat()
                // A pause can end by the clock, which rings no bell.
                _ = condition.wait(until: Date(timeIntervalSinceNow: 1))
            }
        }
    }

    private func pauseNow() -> Pause? {
        if let end = pause?.end, time() >= end { pause = nil }
        return pause
    }
}
