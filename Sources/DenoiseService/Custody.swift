import Synchronization

/// Settles between a worker and a service that stops who has the last word on a photograph.
///
/// While a photograph is denoised the stop may take it away, because that cannot be interrupted; once the output is
/// being published the stop waits, because that takes a moment only.
final class Custody: Sendable {
    private enum Phase {
        case idle
        case denoising(Int64)
        case publishing
        case stopped
    }

    private let phase = Mutex(Phase.idle)

    /// The worker begins with a photograph; false if the service has stopped.
    func take(_ id: Int64) -> Bool {
        phase.withLock { phase in
            guard case .idle = phase else { return false }
            phase = .denoising(id)
            return true
        }
    }

    /// The worker is about to record how the photograph ended; false if the stop took it away.
    func keep(_ id: Int64) -> Bool {
        phase.withLock { phase in
            switch phase {
            case .denoising(id): phase = .publishing
            case .publishing: break
            case .idle, .denoising, .stopped: return false
            }
            return true
        }
    }

    /// The end is recorded.
    func release() {
        phase.withLock { phase in
            if case .publishing = phase { phase = .idle }
        }
    }

    /// The service stops: the photograph that it takes away from the worker, if one is being denoised.
    func stop() -> Int64? {
        phase.withLock { phase in
            switch phase {
            case .denoising(let id):
                phase = .stopped
                return id
            case .idle, .stopped:
                phase = .stopped
                return nil
            case .publishing:
                return nil
            }
        }
    }
}
