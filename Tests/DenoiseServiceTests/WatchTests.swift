import Foundation
import Ledger
import SystemPackage
import Testing

@testable import DenoiseService

/// Which inboxes are polled, and what happens when one goes away.
@Suite struct WatchTests {
    /// What a folder lies on, for a table of one mount.
    private func table(_ type: String, at point: FilePath, options: String = "rw") -> MountTable {
        MountTable(
            """
            22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
            90 22 0:50 / \(point.string) rw,relatime shared:9 - \(type) server:/share \(options)
            """)
    }

    @Test(arguments: [
        ("ext4", false, true), ("xfs", false, true), ("btrfs", false, true), ("tmpfs", false, true),
        ("fuseblk", false, true), ("nfs4", true, false), ("nfs", true, false), ("cifs", true, false),
        ("smb3", true, false), ("9p", true, false), ("fuse.sshfs", true, false), ("fuse.mergerfs", false, false),
        ("fuse", false, false), ("virtiofs", false, false), ("overlay", false, true),
    ])
    func fileSystemsDecideHowTheyAreWatched(type: String, isNetwork: Bool, reportsChanges: Bool) {
        let kind = table(type, at: "/mnt/nas").kind(of: "/mnt/nas/photos")
        #expect(kind.type == type)
        #expect(kind.isNetwork == isNetwork)
        #expect(kind.reportsChanges == reportsChanges)
    }

    @Test func mountsAreFoundByTheirFoldersAndNotByTheirLetters() {
        let table = MountTable(
            """
            22 1 254:0 / / rw - ext4 /dev/vda rw
            30 22 0:50 / /mnt rw - xfs /dev/vdb rw
            31 22 0:51 / /mnt/with\\040space rw - nfs4 s:/x rw
            32 22 0:52 / /mnt rw - cifs //s/x rw
            """)
        #expect(table.kind(of: "/mnt2/a").type == "ext4")
        // The later mount hides the earlier one.
        #expect(table.kind(of: "/mnt/a").type == "cifs")
        #expect(table.kind(of: "/mnt/with space/a").type == "nfs4")
        #expect(MountTable("").kind(of: "/mnt").reportsChanges)
    }

    @Test func anOverlayOnAShareIsAShare() {
        let table = MountTable(
            """
            22 1 254:0 / / rw - ext4 /dev/vda rw
            31 22 0:51 / /nas rw - nfs s:/x rw
            40 22 0:60 / /merged rw - overlay overlay rw,lowerdir=/local:/nas/low,upperdir=/up,workdir=/work
            """)
        #expect(table.kind(of: "/merged/a").isNetwork)
        #expect(table.kind(of: "/merged/a").type == "overlay on nfs")
    }

    @Test(arguments: [
        (Configuration.Watch.Mode.auto, "nfs4", InboxStatus.Backend.poll), (.auto, "ext4", .events),
        (.events, "nfs4", .events), (.poll, "ext4", .poll),
    ])
    func theConfigurationWinsOverTheFileSystem(
        mode: Configuration.Watch.Mode, type: String, backend: InboxStatus.Backend
    ) {
        #expect(WatchedInbox.backend(mode, FileSystemKind(type: type)) == backend)
    }

    @Test func sharesSettleForAMinuteUnlessTheConfigurationSaysOtherwise() throws {
        let folder = try ServiceFolder()
        var configuration = folder.configuration
        configuration.watch.stabilityDelay = nil
        let ledger = try folder.ledger()
        try folder.put("one", as: "a.png")
        var loop = IntakeLoop(
            configuration, ledger: ledger, logger: .silent, watches: true, mounts: table("nfs4", at: folder.inbox))
        #expect(loop.longestDelay == .seconds(60))
        let atOnce = try loop.step(at: .zero)
        let tooSoon = try loop.step(at: .seconds(59))
        let inTime = try loop.step(at: .seconds(60))
        #expect([atOnce, tooSoon, inTime] == [false, false, true])
        configuration.watch.stabilityDelay = .seconds(7)
        let configured = IntakeLoop(
            configuration, ledger: ledger, logger: .silent, watches: true, mounts: table("cifs", at: folder.inbox))
        #expect(configured.longestDelay == .seconds(7))
    }

    @Test func aPolledInboxIsReadAtItsInterval() throws {
        let folder = try ServiceFolder()
        var configuration = folder.configuration
        configuration.watch.mode = .poll
        let ledger = try folder.ledger()
        var loop = IntakeLoop(configuration, ledger: ledger, logger: .silent, watches: true)
        _ = try loop.step(at: .zero)
        #expect(loop.statuses.first?.backend == .poll)
        try folder.put("one", as: "a.png")
        let before = try loop.step(at: .seconds(9))
        let after = try loop.step(at: .seconds(10))
        #expect(!before && after)
    }

    @Test(arguments: [0, 1]) func whenTheKernelWatchesNoMoreFoldersTheInboxIsPolled(watchesLeft: Int) throws {
        let folder = try ServiceFolder()
        try folder.put("one", as: "trip/a.png")
        let ledger = try folder.ledger()
        let watcher = FakeWatcher(watchesLeft: watchesLeft)
        var loop = IntakeLoop(
            folder.configuration, ledger: ledger, logger: .silent, watches: true, makeWatcher: { _ in watcher })
        _ = try loop.step(at: .zero)
        #expect(loop.statuses.first?.backend == .poll)
        #expect(loop.watchProblem?.contains("max_user_watches") == true)
        try folder.put("two", as: "trip/b.png")
        _ = try loop.step(at: .seconds(10))
        #expect(try ledger.count(of: .queued) == 2)
    }

    @Test func withoutAnyWatchTheInboxIsPolled() throws {
        let folder = try ServiceFolder()
        let loop = IntakeLoop(
            folder.configuration, ledger: try folder.ledger(), logger: .silent, watches: true,
            makeWatcher: { _ in throw ServiceError.inaccessible("inotify", "start", .tooManyOpenFiles) })
        #expect(loop.statuses.first?.backend == .poll)
        #expect(loop.watchProblem != nil)
    }

    @Test func lostEventsLeadToARescanWithoutDuplicates() throws {
        let folder = try ServiceFolder()
        let ledger = try folder.ledger()
        let watcher = FakeWatcher(watchesLeft: 100)
        var loop = IntakeLoop(
            folder.configuration, ledger: ledger, logger: .silent, watches: true, makeWatcher: { _ in watcher })
        _ = try loop.step(at: .zero)
        for name in 1...20 { try folder.put("\(name)", as: "\(name).png") }
        watcher.events = [.file(folder.inbox.appending("1.png")), .outdated]
        _ = try loop.step(at: .seconds(1))
        watcher.events = [.outdated]
        _ = try loop.step(at: .seconds(2))
        #expect(try ledger.count(of: .queued) == 20)
        #expect(try ledger.history().count == 20)
    }

    @Test func anInboxThatDisappearsIsAStandByAndItsReturnNoNews() throws {
        let folder = try ServiceFolder()
        try folder.put("one", as: "a.png")
        let ledger = try folder.ledger()
        var configuration = folder.configuration
        configuration.watch.stabilityDelay = .seconds(3600)
        var loop = IntakeLoop(configuration, ledger: ledger, logger: .silent, watches: true)
        _ = try loop.step(at: .zero)
        #expect(try ledger.count(of: .settling) == 1)
        let elsewhere = folder.root.appending("elsewhere")
        try FileManager.default.moveItem(atPath: folder.inbox.string, toPath: elsewhere.string)
        _ = try loop.rescan(at: .seconds(1))
        #expect(loop.statuses.map(\.isAway) == [true])
        _ = try loop.rescan(at: .seconds(5000))
        #expect(try ledger.count(of: .settling) == 1)
        try FileManager.default.moveItem(atPath: elsewhere.string, toPath: folder.inbox.string)
        _ = try loop.step(at: .seconds(5010))
        #expect(loop.statuses.map(\.isAway) == [false])
        _ = try loop.step(at: .seconds(5010 + 3600))
        #expect(try ledger.count(of: .queued) == 1)
        #expect(try ledger.history().count == 1)
    }

    @Test func aDeletedInboxIsNoticedAtOnce() throws {
        let folder = try ServiceFolder()
        var loop = IntakeLoop(
            folder.configuration, ledger: try folder.ledger(), logger: .silent, watches: true)
        _ = try loop.step(at: .zero)
        try FileManager.default.removeItem(atPath: folder.inbox.string)
        _ = try loop.step(at: .seconds(1))
        #expect(loop.statuses.map(\.isAway) == [true])
    }

    @Test(arguments: [
        "a.png.part", ".a.png.x8Kd2l", ".syncthing.a.png.tmp", "~syncthing~a.png.tmp", "a.png.filepart",
        ".in.a.png", "a.png.crdownload", "a.png.tmp",
    ])
    func theRenameToTheFinalNameTriggers(temporary: String) throws {
        let folder = try ServiceFolder()
        let ledger = try folder.ledger()
        var configuration = folder.configuration
        configuration.watch.rescanInterval = .seconds(1_000_000)
        var loop = IntakeLoop(configuration, ledger: ledger, logger: .silent, watches: true)
        _ = try loop.step(at: .zero)
        try folder.put("one", as: temporary)
        _ = try loop.step(at: .seconds(1))
        #expect(try ledger.history().isEmpty)
        try FileManager.default.moveItem(
            atPath: folder.inbox.appending(temporary).string, toPath: folder.inbox.appending("a.png").string)
        _ = try loop.step(at: .seconds(2))
        #expect(try ledger.count(of: .queued) == 1)
    }

    @Test func anArchiveInsideTheInboxIsNotAnInbox() throws {
        let folder = try ServiceFolder()
        try folder.put("one", as: "archived/a.png")
        var configuration = folder.configuration
        #expect(InboxScanner(configuration).scan(folder.inbox).photographs.count == 1)
        configuration.watch.onSuccess = .archive
        #expect(InboxScanner(configuration).scan(folder.inbox).photographs.isEmpty)
    }
}

/// Watches nothing, and only so many folders.
final class FakeWatcher: FolderWatching {
    var events: [DirectoryWatcher.Event] = []
    private var watchesLeft: Int
    private var watched: Set<FilePath> = []

    init(watchesLeft: Int) {
        self.watchesLeft = watchesLeft
    }

    func watch(_ folder: FilePath) throws -> Bool {
        if watched.contains(folder) { return false }
        guard watchesLeft > 0 else {
            throw ServiceError(
                .watchFailed, subject: folder.string, cause: "the kernel watches no more folders",
                remedy: "raise fs.inotify.max_user_watches")
        }
        watchesLeft -= 1
        return watched.insert(folder).inserted
    }

    func wait(atMost time: Duration, wakeUp: WakeUp) -> [DirectoryWatcher.Event] { read() }

    func read() -> [DirectoryWatcher.Event] {
        defer { events = [] }
        return events
    }
}
