import Foundation
import ServiceLifecycle
import Synchronization
import SystemPackage

/// Answers commands on the control socket of the state folder, one after the other: one line in, one line out.
final class ControlServer: Service {
    private let folder: FilePath
    private let answer: @Sendable (ControlRequest) -> ControlReply
    private let socket: UnixSocket
    private let wakeUp: WakeUp
    private let isStopping = Atomic<Bool>(false)
    /// A request is short; whoever sends more is no command of this program.
    private static let limit = 1 << 20
    /// Seconds after which a silent connection is closed, so that it does not keep others waiting.
    private static let patience = 2

    /// Listens at once; for whoever holds the folder's lock.
    ///
    /// - Throws: `ServiceError`.
    init(folder: FilePath, _ answer: @escaping @Sendable (ControlRequest) -> ControlReply) throws {
        self.folder = folder
        self.answer = answer
        do {
            guard let socket = UnixSocket() else { throw Errno.tooManyOpenFiles }
            try socket.listen(folder)
            self.socket = socket
            wakeUp = try WakeUp()
        } catch {
            throw ServiceError.inaccessible(
                folder.appending(UnixSocket.name), "listen", error as? Errno ?? .ioError)
        }
    }

    func run() async throws {
        try await onOwnThread("control") { _ in
            self.stop()
        } _: {
            self.serve()
        }
    }

    /// Answers until `stop`, and then takes the name away.
    func serve() {
        while !isStopping.load(ordering: .relaxed) { answerNext() }
        _ = folder.appending(UnixSocket.name).withPlatformString { unlink($0) }
    }

    func stop() {
        isStopping.store(true, ordering: .relaxed)
        wakeUp.ring()
    }

    /// Waits for a connection and answers it.
    private func answerNext() {
        var sources = [
            pollfd(fd: socket.descriptor.rawValue, events: Int16(POLLIN), revents: 0),
            pollfd(fd: wakeUp.reader.rawValue, events: Int16(POLLIN), revents: 0),
        ]
        _ = poll(&sources, nfds_t(sources.count), -1)
        guard let connection = socket.accept() else { return }
        connection.limitWaiting(seconds: Self.patience)
        guard let line = connection.readLine(limit: Self.limit) else { return }
        let reply: ControlReply
        do {
            reply = answer(try JSONDecoder().decode(ControlRequest.self, from: Data(line)))
        } catch {
            reply = ControlReply(error: "the request is not one that this version knows")
        }
        if let data = try? JSONEncoder().encode(reply) { _ = connection.write(Array(data) + [UInt8(ascii: "\n")]) }
    }
}
