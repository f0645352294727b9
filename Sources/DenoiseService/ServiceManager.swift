import Foundation
import Synchronization
import SystemPackage

/// Speaks to systemd through the datagram socket that `NOTIFY_SOCKET` names, a path or an abstract name ("@…");
/// see sd_notify(3). Without that variable it says nothing.
public final class ServiceManager: Sendable {
    private let descriptor: FileDescriptor?
    private let address: [UInt8]
    private let stopped = Atomic<Bool>(false)
    /// How often systemd wants a sign of life; nil if it does not watch this process.
    public let watchdogInterval: Duration?

    public init(environment: [String: String] = ProcessInfo.processInfo.environment) {
        let name = environment["NOTIFY_SOCKET"] ?? ""
        let isMeantForThis = environment["WATCHDOG_PID"].flatMap { Int32($0) }.map { $0 == getpid() } ?? true
        if isMeantForThis, let period = environment["WATCHDOG_USEC"].flatMap({ Int64($0) }), period > 0 {
            watchdogInterval = .microseconds(period)
        } else {
            watchdogInterval = nil
        }
        guard name.hasPrefix("/") || name.hasPrefix("@"), name.utf8.count < Self.longestName else {
            descriptor = nil
            address = []
            return
        }
        let number = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        descriptor = number >= 0 ? FileDescriptor(rawValue: number) : nil
        // An abstract name begins with a zero byte, which its environment variable writes as "@".
        address = name.hasPrefix("@") ? [0] + name.utf8.dropFirst() : Array(name.utf8)
    }

    deinit { try? descriptor?.close() }

    /// The service is up: the ledger is open and the inboxes are watched.
    public func ready() { send("READY=1") }

    /// One line that `systemctl status` shows.
    public func status(_ line: String) {
        send("STATUS=" + line.replacing("\n", with: " "))
    }

    /// The service reads its configuration again; `ready` follows.
    public func reloading() {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        send("RELOADING=1\nMONOTONIC_USEC=\(now.tv_sec * 1_000_000 + now.tv_nsec / 1000)")
    }

    /// The service begins to stop.
    public func stopping() {
        stopped.store(true, ordering: .relaxed)
        send("STOPPING=1")
    }

    /// Whether the service has begun to stop.
    public var isStopping: Bool { stopped.load(ordering: .relaxed) }

    /// The stop makes progress and may take so much longer from now.
    public func extendTimeout(by time: Duration) {
        send("EXTEND_TIMEOUT_USEC=\(Int64(time / .microseconds(1)))")
    }

    /// The service is alive.
    public func alive() { send("WATCHDOG=1") }

    /// The manager may be gone or busy; a service does not fail for that.
    private func send(_ message: String) {
        guard let descriptor else { return }
        var target = sockaddr_un()
        target.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &target.sun_path) { $0.copyBytes(from: address) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + address.count)
        let bytes = Array(message.utf8)
        _ = withUnsafePointer(to: &target) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor.rawValue, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, length)
            }
        }
    }

    /// Bytes of `sockaddr_un.sun_path`.
    private static let longestName = 108
}
