import Foundation
import ServiceLifecycle
import Synchronization

/// Runs blocking work on a thread of its own, so that the tasks of the program never wait for it.
///
/// - Parameters:
///   - name: the thread's name, for debuggers.
///   - onStop: called once when the service shall stop; it must make `body` return, or call `abandon` to leave the
///     thread behind.
func onOwnThread(
    _ name: String, onStop: @escaping @Sendable (_ abandon: @escaping @Sendable () -> Void) -> Void,
    _ body: @escaping @Sendable () throws -> Void
) async throws {
    let (ends, continuation) = AsyncThrowingStream<Never, any Error>.makeStream()
    let thread = Thread {
        do {
            try body()
            continuation.finish()
        } catch {
            continuation.finish(throwing: error)
        }
    }
    thread.name = name
    // Decoders and matrix products may use more stack than a thread gets by default.
    thread.stackSize = 8 << 20
    thread.start()
    // A task that is cancelled must not outlive its thread unnoticed, so it stops the work in the same way.
    let hasStopped = Atomic<Bool>(false)
    let stop: @Sendable () -> Void = {
        if !hasStopped.exchange(true, ordering: .relaxed) { onStop { continuation.finish() } }
    }
    try await withTaskCancellationOrGracefulShutdownHandler {
        let end = Task { for try await _ in ends {} }
        try await end.value
    } onCancelOrGracefulShutdown: {
        stop()
    }
}
