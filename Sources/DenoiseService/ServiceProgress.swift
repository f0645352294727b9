import Synchronization
import SystemPackage

/// How an inbox is watched.
public struct InboxStatus: Sendable, Equatable, Codable {
    /// Who tells of changes.
    public enum Backend: String, Sendable, Codable {
        case events, poll
    }

    /// Readable, for people; `path` has the bytes.
    public var inbox: String
    public var backend: Backend
    /// As "ext4" or "nfs4".
    public var fileSystem: String
    /// Whether the inbox is not there at present.
    public var isAway: Bool
    /// Seconds.
    public var stabilityDelay: Double
    var path: FilePath

    enum CodingKeys: String, CodingKey {
        case inbox, backend
        case fileSystem = "file_system"
        case isAway = "away"
        case stabilityDelay = "stability_delay"
    }

    init(_ path: FilePath, _ backend: Backend, _ fileSystem: String, isAway: Bool, stabilityDelay: Duration) {
        inbox = path.string
        self.path = path
        self.backend = backend
        self.fileSystem = fileSystem
        self.isAway = isAway
        self.stabilityDelay = stabilityDelay / .seconds(1)
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        inbox = try values.decode(String.self, forKey: .inbox)
        backend = try values.decode(Backend.self, forKey: .backend)
        fileSystem = try values.decode(String.self, forKey: .fileSystem)
        isAway = try values.decode(Bool.self, forKey: .isAway)
        stabilityDelay = try values.decode(Double.self, forKey: .stabilityDelay)
        path = FilePath(inbox)
    }
}

/// Time since an arbitrary origin; it never jumps.
public typealias MonotonicTime = @Sendable () -> Duration

/// The machine's monotonic clock, from now on.
public func monotonicTime() -> MonotonicTime {
    let origin = ContinuousClock.now
    return { ContinuousClock.now - origin }
}

/// What the service has done since it started and is doing now.
public struct ProgressState: Sendable, Equatable {
    /// The photograph that is being denoised.
    public struct Current: Sendable, Equatable {
        public var id: Int64
        /// Readable name of the file.
        public var name: String
        /// 0…1.
        public var fraction: Double
        public var since: Duration
    }

    /// Photographs that reached an end since the start, whichever.
    public var finished = 0
    /// Those of them that failed.
    public var failed = 0
    /// Photographs in the queue, without the current one.
    public var waiting = 0
    public var current: Current?
    /// Time spent on photographs that were denoised, and their number.
    public var workTime: Duration = .zero
    public var denoised = 0
    /// Why nothing is begun although photographs wait, for example lack of space.
    public var obstacle: String?
    /// What is amiss and does not stop the service, by subject.
    public var warnings: [String: String] = [:]
    /// How each inbox is watched.
    public var inboxes: [InboxStatus] = []

    /// Inboxes that are not there at present, as an unmounted share.
    var away: [FilePath] { inboxes.filter(\.isAway).map(\.path) }
    /// What is done beside the photographs.
    public var background: String?

    public init() {}

    public var total: Int { finished + waiting + (current == nil ? 0 : 1) }

    /// Time until the queue is empty, as far as the photographs so far tell; never negative, nil if nothing tells.
    public func timeLeft(at now: Duration) -> Duration? {
        var typical: Duration? = denoised > 0 ? workTime / denoised : nil
        guard let current else { return waiting == 0 ? .zero : typical.map { $0 * waiting } }
        let elapsed = max(now - current.since, .zero)
        var left: Duration?
        // Before 2 % the rate says more about reading the file than about denoising it.
        if current.fraction > 0.02 {
            left = elapsed * ((1 - current.fraction) / current.fraction)
            typical = typical ?? elapsed * (1 / current.fraction)
        } else {
            left = typical.map { max($0 - elapsed, .zero) }
        }
        guard let left else { return nil }
        return max(left, .zero) + (typical ?? .zero) * waiting
    }

    /// One line for people: "3/12, IMG_1.DNG 63 %, 4 min left".
    public func summary(at now: Duration) -> String {
        photographs(at: now) + (background.map { "; \($0)" } ?? "")
    }

    private func photographs(at now: Duration) -> String {
        if let obstacle { return "\(finished)/\(total), \(obstacle)" }
        if waiting == 0, current == nil, let away = inboxes.first(where: \.isAway) {
            return "\(away.path) is away, \(finished) done"
        }
        guard let current else { return waiting == 0 ? "idle, \(finished) done" : "\(finished)/\(total)" }
        // 100 % is for what is published.
        let percent = min(Int(current.fraction * 100), 99)
        let left = timeLeft(at: now).map { ", \(Self.readable($0)) left" } ?? ""
        return "\(finished + 1)/\(total), \(current.name) \(percent) %\(left)"
    }

    /// "40 s", "4 min", "3.5 h".
    static func readable(_ duration: Duration) -> String {
        let seconds = duration / .seconds(1)
        if seconds < 90 { return "\(Int(seconds.rounded())) s" }
        if seconds < 5400 { return "\(Int((seconds / 60).rounded())) min" }
        return "\((seconds / 360).rounded() / 10) h"
    }
}

/// `ProgressState` as the services of a daemon share it, and the pulse that shows that work goes on.
public final class ServiceProgress: Sendable {
    private let state = Mutex(ProgressState())
    private let beats = Atomic<Int>(0)

    public init() {}

    public var snapshot: ProgressState { state.withLock { $0 } }

    /// Counts signs of life; a watchdog is fed only if it grew.
    public var pulse: Int { beats.load(ordering: .relaxed) }

    /// A sign of life from whoever works or is ready to.
    public func beat() { beats.wrappingAdd(1, ordering: .relaxed) }

    /// Says what is amiss with a subject, or with nil that it no longer is.
    func warn(_ subject: String, _ text: String?) {
        state.withLock { state in
            if state.warnings[subject] != text { state.warnings[subject] = text }
        }
    }

    func update(_ change: (inout ProgressState) -> Void) {
        state.withLock { change(&$0) }
        beat()
    }
}
