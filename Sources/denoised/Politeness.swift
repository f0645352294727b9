import Dispatch
import Foundation
import Glibc
import Synchronization

/// Long work beside other people's.
enum Politeness {
    /// Gives way to everything of ordinary priority; a process that is nicer already stays so.
    static func becomeNice() {
        if getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0) < 10 {
            _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
        }
    }
}

/// Asked to stop by SIGTERM or SIGINT; the second request is not waited for.
struct StopSignal {
    private final class Flag: Sendable {
        let value = Atomic<Bool>(false)
    }

    private let flag = Flag()
    private let sources: [any DispatchSourceSignal]

    init() {
        sources = [SIGTERM, SIGINT].map { [flag] number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                if flag.value.exchange(true, ordering: .sequentiallyConsistent) { _exit(130) }
            }
            source.resume()
            return source
        }
    }

    var isRequested: Bool { flag.value.load(ordering: .sequentiallyConsistent) }
}
