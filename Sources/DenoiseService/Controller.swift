import Ledger

/// Does what commands ask of the running daemon.
struct Controller: Sendable {
    let ledger: Ledger
    let gate: PauseGate
    /// Called when there may be something new to do.
    let wake: @Sendable () -> Void
    let status: @Sendable () -> StatusFile
    /// Called with each command that changes something.
    let log: @Sendable (String) -> Void

    func answer(_ request: ControlRequest) -> ControlReply {
        do {
            return try perform(request)
        } catch {
            return ControlReply(error: "\(error)")
        }
    }

    private func perform(_ request: ControlRequest) throws -> ControlReply {
        if request.command != .status { log(request.command.rawValue) }
        defer { if request.command != .status { wake() } }
        switch request.command {
        case .status: return ControlReply(status: status())
        case .pause:
            gate.pause(for: request.seconds.map { .seconds($0) }, drains: request.drains ?? false)
            return ControlReply(status: status())
        case .resume:
            gate.resume()
            return ControlReply(status: status())
        case .retry:
            guard let ids = request.ids else { return ControlReply(ids: try ledger.retryFailed()) }
            try ledger.retry(ids)
            return ControlReply(ids: ids)
        case .release: return ControlReply(ids: try ledger.release(request.ids))
        case .purge: return ControlReply(ids: try ledger.purge(request.ids))
        }
    }
}
