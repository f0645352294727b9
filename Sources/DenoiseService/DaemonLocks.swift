import SystemPackage

/// What a daemon holds so that no other works on the same state or the same inboxes.
public final class DaemonLocks: Sendable {
    let state: StateLock
    let inboxes: InboxLocks

    /// Creates the state folder if it is missing; no ledger is opened without its lock. Inboxes that are not there are
    /// locked when they appear.
    ///
    /// - Throws: `ServiceError`: `locked` if another daemon works there, `networkState` if the folder is on a share.
    init(_ configuration: Configuration, inboxes: InboxLocks = InboxLocks(), mounts: MountTable = .current()) throws {
        try createFolder(configuration.state, permissions: 0o700)
        let kind = mounts.kind(of: configuration.state)
        guard !kind.isNetwork else {
            throw ServiceError(
                .networkState, subject: configuration.state.string,
                cause: "it lies on \(kind.type), where the ledger's locks and journal cannot be relied on",
                remedy: "name a folder on a local disk with state.dir or StateDirectory=")
        }
        state = try StateLock(folder: configuration.state)
        self.inboxes = inboxes
        for inbox in configuration.watch.paths {
            do {
                try inboxes.take(inbox)
            } catch let error as ServiceError where error.code != .locked {
                // The intake says so, and waits for it.
            }
        }
    }
}
