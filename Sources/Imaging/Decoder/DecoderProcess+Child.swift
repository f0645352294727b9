import Glibc
import SystemPackage

extension DecoderProcess {
    /// A decoder that runs.
    struct Child {
        /// What came through the pipe.
        struct Answer {
            /// Nil if the pipe was closed before the answer was complete, or time was up.
            var bytes: [UInt8]?
            var isLate = false
        }

        /// How it ended: by a signal, or with an exit status.
        struct End {
            let status: Int32
            let signal: Int32?
        }

        let process: pid_t
        let pipe: FileDescriptor

        /// Waits for a whole answer, which its length precedes.
        func answer(within patience: Duration, atMost longest: Int) -> Answer {
            let deadline = ContinuousClock.now + patience
            var bytes: [UInt8] = []
            var block = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                let left = (deadline - .now) / .milliseconds(1)
                if left <= 0 { return Answer(isLate: true) }
                var event = pollfd(fd: pipe.rawValue, events: Int16(POLLIN), revents: 0)
                guard poll(&event, 1, Int32(min(left + 1, 60_000))) > 0 else { continue }
                guard let got = try? block.withUnsafeMutableBytes({ try pipe.read(into: $0) }), got > 0 else {
                    return Answer()
                }
                bytes += block[..<got]
                guard bytes.count >= 8 else { continue }
                let length = bytes[..<8].reversed().reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
                guard length <= longest, bytes.count <= Int(length) + 8 else { return Answer() }
                if bytes.count == Int(length) + 8 { return Answer(bytes: Array(bytes[8...])) }
            }
        }

        /// Ends the process, whatever it still does, and forgets it. One that has ended by itself keeps its reason.
        func finish() -> End {
            try? pipe.close()
            kill(process, SIGKILL)
            var status: Int32 = 0
            while waitpid(process, &status, 0) < 0 {
                if errno != EINTR { return End(status: -1, signal: nil) }
            }
            // As WIFSIGNALED and WTERMSIG have it, which are macros.
            let signal = status & 0x7F
            return End(status: status >> 8 & 0xFF, signal: signal == 0 ? nil : signal)
        }
    }
}
