import Ledger
import SystemPackage

/// Decides when a file has stood still for long enough. Knows no clock and no file system: the caller says what it
/// saw and when, in time since an arbitrary origin that never jumps.
public struct StabilityTracker: Sendable {
    private struct Watched {
        var identity: FileIdentity
        var since: Duration
        var delay: Duration
        /// Files become stable in the order in which they were first seen.
        var order: Int
    }

    private var watched: [FilePath: Watched] = [:]
    private var seen = 0

    public init() {}

    /// The files that are not stable yet.
    public var paths: Set<FilePath> { Set(watched.keys) }
    public var isEmpty: Bool { watched.isEmpty }

    /// When the next file can become stable; nil if none is watched.
    public var deadline: Duration? { watched.values.lazy.map { $0.since + $0.delay }.min() }

    /// Takes note of a file; any difference in size, times or inode starts its delay again.
    ///
    /// - Parameters:
    ///   - quiet: how long the file is known to have stood still already, by its own times.
    ///   - delay: how long it must stand still.
    /// - Returns: true if the file is new or changed.
    public mutating func observe(
        _ path: FilePath, _ identity: FileIdentity, at now: Duration, quiet: Duration = .zero, delay: Duration
    ) -> Bool {
        guard let earlier = watched[path] else {
            watched[path] = Watched(identity: identity, since: now - max(quiet, .zero), delay: delay, order: seen)
            seen += 1
            return true
        }
        guard earlier.identity != identity else { return false }
        watched[path] = Watched(identity: identity, since: now, delay: delay, order: earlier.order)
        return true
    }

    /// No longer watches a file; false if it was not watched.
    public mutating func forget(_ path: FilePath) -> Bool { watched.removeValue(forKey: path) != nil }

    /// The files whose delay is over, in the order in which they were first seen; each must be looked at once more
    /// and given to `confirm`.
    public func due(at now: Duration) -> [FilePath] {
        watched.filter { $0.value.since + $0.value.delay <= now }.sorted { $0.value.order < $1.value.order }.map(\.key)
    }

    /// The last look at a file that is due: true if it is stable, and then no longer watched.
    public mutating func confirm(_ path: FilePath, _ identity: FileIdentity, at now: Duration) -> Bool {
        let delay = watched[path]?.delay ?? .zero
        guard !observe(path, identity, at: now, delay: delay) else { return false }
        watched[path] = nil
        return true
    }
}
