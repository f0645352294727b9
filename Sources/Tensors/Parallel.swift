import Dispatch
import Foundation
import Synchronization

/// Runs `body(0)` … `body(count − 1)` on at most `threads` threads and returns the results in order.
///
/// Work is handed out one index at a time; since results are placed by index, they do not depend on the number of
/// threads. Blocks the calling thread, which takes part.
public func parallelMap<Result: Sendable>(
    _ count: Int, threads: Int, _ body: @Sendable (Int) throws -> Result
) throws -> [Result] {
    if threads <= 1 || count <= 1 { return try (0..<count).map(body) }
    let results = Mutex<[Result?]>(Array(repeating: nil, count: count))
    let failure = Mutex<(any Error)?>(nil)
    let next = Atomic(0)
    DispatchQueue.concurrentPerform(iterations: min(threads, count)) { _ in
        while true {
            let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
            if index >= count || failure.withLock({ $0 != nil }) { return }
            do {
                let result = try body(index)
                results.withLock { $0[index] = result }
            } catch {
                failure.withLock { $0 = $0 ?? error }
            }
        }
    }
    if let error = failure.withLock({ $0 }) { throw error }
    return results.withLock { $0.compactMap { $0 } }
}

/// Both results, computed at the same time where two threads may work.
public func parallel<First: Sendable, Second: Sendable>(
    threads: Int, _ first: @Sendable () throws -> First, _ second: @Sendable () throws -> Second
) throws -> (First, Second) {
    let both = try parallelMap(2, threads: threads) { index -> (First?, Second?) in
        index == 0 ? (try first(), nil) : (nil, try second())
    }
    guard let first = both[0].0, let second = both[1].1 else { preconditionFailure("each computes its own") }
    return (first, second)
}

/// The processors that this process may use.
public let processorCount = max(1, ProcessInfo.processInfo.activeProcessorCount)
