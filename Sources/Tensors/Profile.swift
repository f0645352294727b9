import Synchronization

/// Calls and time of one operation.
public struct OperationTime: Sendable, Equatable {
    /// The operation's name, with "backward" where it is its gradient.
    public let name: String
    public let calls: Int
    /// Summed over threads; an operation made of others counts for itself alone.
    public let seconds: Double
}

/// Runs `body` and tells where the time of its operations went, the longest first.
///
/// One profile at a time; operations on other threads count as well.
public func profiled(_ body: () throws -> Void) rethrows -> [OperationTime] {
    Profile.times.withLock { $0 = [:] }
    Profile.isOn.store(true, ordering: .sequentiallyConsistent)
    defer { Profile.isOn.store(false, ordering: .sequentiallyConsistent) }
    try body()
    return Profile.times.withLock { times in
        times.map { OperationTime(name: $0.key, calls: $0.value.calls, seconds: $0.value.seconds) }
            .sorted { ($0.seconds, $0.name) > ($1.seconds, $1.name) }
    }
}

/// Times an operation while a profile is taken; by default under the name of the calling function.
func timed<Result>(_ name: StaticString = #function, suffix: String = "", _ body: () throws -> Result) rethrows
    -> Result
{
    guard Profile.isOn.load(ordering: .relaxed) else { return try body() }
    let (outer, own) = (Profile.current, Profile.Nested())
    let start = ContinuousClock.now
    let result = try Profile.$current.withValue(own, operation: body)
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    outer?.seconds += seconds
    Profile.add(String("\(name)".prefix { $0 != "(" }) + suffix, seconds - own.seconds)
    return result
}

private enum Profile {
    static let isOn = Atomic<Bool>(false)
    static let times = Mutex<[String: (calls: Int, seconds: Double)]>([:])

    /// Time of the operations inside another one. `@unchecked Sendable`: only the thread of that operation sees it.
    final class Nested: @unchecked Sendable {
        var seconds = 0.0
    }

    @TaskLocal static var current: Nested?

    static func add(_ name: String, _ seconds: Double) {
        times.withLock {
            let before = $0[name] ?? (0, 0)
            $0[name] = (before.calls + 1, before.seconds + seconds)
        }
    }
}
