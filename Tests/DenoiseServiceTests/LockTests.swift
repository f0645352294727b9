import Foundation
import SystemPackage
import Testing

@testable import DenoiseService

/// Two daemons cannot share a state or an inbox.
@Suite struct LockTests {
    private func refusal(_ body: () throws -> Void) -> ServiceError? {
        let error = #expect(throws: ServiceError.self) { try body() }
        #expect(error?.code == .locked)
        return error
    }

    @Test func theSecondDaemonOnAnInboxIsToldWhoAndWhereTheFirstIs() throws {
        let folder = try ServiceFolder()
        let first = try Daemon.lock(folder.configuration)
        var configuration = folder.configuration
        configuration.state = folder.root.appending("other")
        let error = refusal { _ = try Daemon.lock(configuration) }
        #expect(error?.cause.contains("process \(getpid()) on \(ProcessInfo.processInfo.hostName)") == true)
        #expect(try folderEntries(of: folder.inbox).isEmpty)
        withExtendedLifetime(first) {}
    }

    @Test func theLockEndsWithItsHolder() throws {
        let folder = try ServiceFolder()
        do {
            let first = try Daemon.lock(folder.configuration)
            withExtendedLifetime(first) {}
        }
        #expect(throws: Never.self) { try Daemon.lock(folder.configuration) }
    }

    @Test func anInboxThatIsNotThereIsLockedWhenItAppears() throws {
        let folder = try ServiceFolder()
        try FileManager.default.removeItem(atPath: folder.inbox.string)
        let locks = try Daemon.lock(folder.configuration)
        #expect(throws: ServiceError.self) { try locks.inboxes.take(folder.inbox) }
        try createFolder(folder.inbox)
        try locks.inboxes.take(folder.inbox)
        _ = refusal { try InboxLocks().take(folder.inbox) }
        locks.inboxes.release(folder.inbox)
        #expect(throws: Never.self) { try InboxLocks().take(folder.inbox) }
    }

    @Test func onAShareAFileShowsOtherMachinesWhoHasIt() throws {
        let folder = try ServiceFolder()
        let file = folder.inbox.appending(InboxLockFile.name)
        do {
            let locks = InboxLocks(isShared: { _ in true })
            try locks.take(folder.inbox)
            #expect(InboxLockFile.read(file) == .own)
            let error = refusal { try InboxLocks(isShared: { _ in true }).take(folder.inbox) }
            #expect(error?.cause.contains("process \(getpid()) on ") == true)
            withExtendedLifetime(locks) {}
        }
        #expect(InboxLockFile.read(file) == nil)
    }

    /// Locks that others left, and whether they hold after so many seconds.
    @Test(arguments: [
        (InboxLockFile(process: 1, machine: "elsewhere", boot: "x", token: "x"), 60.0, true),
        (InboxLockFile(process: 1, machine: "elsewhere", boot: "x", token: "x"), 31.0 * 60, false),
        // The kernel's first process lives; of a machine that was started since, nothing does.
        (InboxLockFile(process: 1, machine: InboxLockFile.machine, boot: InboxLockFile.ownBoot, token: "x"), 60, true),
        (InboxLockFile(process: 1, machine: InboxLockFile.machine, boot: "earlier", token: "x"), 60, false),
        (
            InboxLockFile(process: 99_999_999, machine: InboxLockFile.machine, boot: InboxLockFile.ownBoot, token: "x"),
            60, false
        ),
        // A container's first process always has the same number.
        (
            InboxLockFile(process: getpid(), machine: InboxLockFile.machine, boot: InboxLockFile.ownBoot, token: "x"),
            60, false
        ),
    ])
    func staleLocksAreNobodys(_ lock: InboxLockFile, _ age: Double, _ holds: Bool) throws {
        let folder = try ServiceFolder()
        try write(try JSONEncoder().encode(lock), to: folder.inbox.appending(InboxLockFile.name))
        let locks = InboxLocks(isShared: { _ in true }, wallClock: { Date(timeIntervalSinceNow: age) })
        if holds {
            _ = refusal { try locks.take(folder.inbox) }
        } else {
            try locks.take(folder.inbox)
        }
        withExtendedLifetime(locks) {}
    }

    @Test func aStateFolderOnAShareIsRefused() throws {
        let folder = try ServiceFolder()
        let mounts = MountTable("9 1 0:5 / \(folder.root) rw - nfs4 s:/x rw")
        let error = #expect(throws: ServiceError.self) { try DaemonLocks(folder.configuration, mounts: mounts) }
        #expect(error?.code == .networkState)
        #expect(error?.description.contains("StateDirectory=") == true)
    }
}
