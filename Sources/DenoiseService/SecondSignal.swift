import Dispatch
import Foundation
import ServiceLifecycle
import Synchronization

/// Ends the program at once when it is told to stop a second time. Nothing is lost by that: whatever ends the service,
/// its next start goes on where this one was.
///
/// It starts before everything that may take its time to stop, so that it ends after it.
struct SecondSignal: Service {
    /// As of an interrupted command.
    private static let status: Int32 = 130

    func run() async throws {
        let count = Count()
        let queue = DispatchQueue(label: "denoised.second-signal")
        let sources = [SIGTERM, SIGINT].map { signal in
            let source = DispatchSource.makeSignalSource(signal: signal, queue: queue)
            source.setEventHandler {
                if count.next() > 1 { _exit(Self.status) }
            }
            source.resume()
            return source
        }
        defer { sources.forEach { $0.cancel() } }
        try await gracefulShutdown()
    }

    private final class Count: Sendable {
        private let count = Atomic<Int>(0)

        func next() -> Int { count.wrappingAdd(1, ordering: .relaxed).newValue }
    }
}
