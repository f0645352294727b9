import Denoising
import Foundation
import Synchronization
import SystemPackage

/// What trains beside the daemon.
protocol FinetuneTrainer: Sendable {
    /// - Parameter camera: whose model is to be fitted; nil for the general one.
    func start(camera: Camera?, minutes: Int) throws
    func halt()
    func go()
    func stop()
    /// How it ended, once; nil while it runs or where none was started.
    func takeEnd() -> FinetuneSchedule.End?
}

/// `denoised finetune` as a child of the daemon: a process can be halted within its step without its help (SIGSTOP),
/// and what it does to memory is gone with it.
final class FinetuneProcess: FinetuneTrainer {
    private let executable: URL
    private let state: FilePath
    private let child = Mutex<Process?>(nil)
    private let end = Mutex<FinetuneSchedule.End?>(nil)

    init(state: FilePath, executable: URL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()) {
        self.state = state
        self.executable = executable
    }

    /// A daemon that goes away must not leave a halted child behind.
    deinit { stop() }

    func start(camera: Camera?, minutes: Int) throws {
        let process = Process()
        process.executableURL = executable
        process.arguments =
            ["finetune", "--from-ledger", "--minutes", "\(minutes)", "--state", state.string]
            + (camera.map { ["--camera", $0.name] } ?? [])
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.terminationHandler = { [weak self] process in
            let isExit = process.terminationReason == .exit
            let status = process.terminationStatus
            self?.end.withLock {
                $0 = isExit && status == 0 ? .judged : isExit && status == 130 ? .interrupted : .failed
            }
            self?.child.withLock { $0 = nil }
        }
        try child.withLock { child in
            try process.run()
            child = process
        }
    }

    func halt() { send(SIGSTOP) }

    func go() { send(SIGCONT) }

    /// A halted process hears nothing else before it goes on.
    func stop() {
        send(SIGTERM)
        send(SIGCONT)
    }

    func takeEnd() -> FinetuneSchedule.End? {
        end.withLock { end in
            defer { end = nil }
            return end
        }
    }

    private func send(_ signal: Int32) {
        child.withLock { child in
            if let child, child.isRunning { kill(child.processIdentifier, signal) }
        }
    }
}
