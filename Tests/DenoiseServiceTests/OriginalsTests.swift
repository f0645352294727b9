import Foundation
import Ledger
import SystemPackage
import Testing

@testable import DenoiseService

/// What becomes of originals and duplicates.
@Suite struct OriginalsTests {
    private func configuration(
        _ folder: ServiceFolder, _ success: Configuration.Watch.Success = .keep,
        _ duplicate: Configuration.Watch.Duplicate = .list
    ) -> Configuration {
        var configuration = folder.configuration
        configuration.watch.onSuccess = success
        configuration.watch.onDuplicate = duplicate
        return configuration
    }

    private func inbox(_ folder: ServiceFolder) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: folder.inbox.string).sorted()
    }

    @Test func archivedOriginalsKeepTheirFoldersAndBytes() async throws {
        let folder = try ServiceFolder()
        try folder.put("one", as: "trip/a.png")
        try folder.put("bad", as: "b.png")
        let settings = configuration(folder, .archive)
        try await folder.drain(FakeDenoiser(), settings)
        #expect(try inbox(folder) == ["archived", "archived/trip", "archived/trip/a.png", "b.png", "trip"])
        #expect(try bytes(of: folder.inbox.pushing("archived/trip/a.png")) == Array("one".utf8))
        let second = try await folder.drain(FakeDenoiser(), settings)
        #expect(second.finished == 0)
        #expect(try folder.history() == ["b.png failed", "a.png done"])
    }

    @Test func anArchivedNameIsNeverReplaced() async throws {
        let folder = try ServiceFolder()
        let settings = configuration(folder, .archive)
        for content in ["one", "two"] {
            try folder.put(content, as: "a.png")
            try await folder.drain(FakeDenoiser(), settings)
        }
        #expect(try inbox(folder) == ["archived", "archived/a-2.png", "archived/a.png"])
        #expect(try bytes(of: folder.inbox.pushing("archived/a.png")) == Array("one".utf8))
    }

    @Test func deletedOriginalsAreGoneOnceTheirOutputIsThere() async throws {
        let folder = try ServiceFolder()
        try folder.put("one", as: "a.png")
        try folder.put("bad", as: "b.png")
        try await folder.drain(FakeDenoiser(), configuration(folder, .delete))
        #expect(try inbox(folder) == ["b.png"])
        #expect(try folder.outputs() == ["denoised-a.tiff"])
    }

    @Test(arguments: [Configuration.Watch.Success.archive, .delete])
    func aFileThatChangedSinceItWasReadStays(mode: Configuration.Watch.Success) throws {
        let folder = try ServiceFolder()
        let path = folder.inbox.appending("a.png")
        try folder.put("one", as: "a.png")
        let content = try ContentHash(of: path)
        let originals = Originals(mode: mode, inboxes: [folder.inbox])
        // The same size and name, other bytes.
        try folder.put("two", as: "a.png")
        #expect(throws: ServiceError.self) { try originals.settle(path, content) }
        // The same bytes in another file.
        try FileManager.default.removeItem(atPath: path.string)
        try folder.put("spacer", as: "x.txt")
        try folder.put("one", as: "a.png")
        #expect(throws: ServiceError.self) { try originals.settle(path, content) }
        #expect(try inbox(folder) == ["a.png", "x.txt"])
        #expect(try bytes(of: path) == Array("one".utf8))
    }

    @Test func aDuplicateGetsItsOwnCopyIfAsked() async throws {
        let folder = try ServiceFolder()
        try folder.put("one", as: "a.png")
        try folder.put("one", as: "trip/b.png")
        let denoiser = FakeDenoiser()
        try await folder.drain(denoiser, configuration(folder, .keep, .copy))
        #expect(denoiser.photographs.count == 1)
        #expect(try folder.outputs() == ["denoised-a.tiff", "trip", "trip/b-denoised.tiff"])
        #expect(try bytes(of: folder.output.pushing("trip/b-denoised.tiff")) == Array("one!".utf8))
        let records = try folder.ledger().history()
        #expect(Set(records.map(\.status)) == [.done, .duplicate])
        #expect(records.allSatisfy { $0.output != nil })
    }

    @Test func aCopyThatAKillInterruptedIsSettledAtTheNextStart() async throws {
        let folder = try ServiceFolder()
        try folder.put("one", as: "a.png")
        try folder.put("one", as: "b.png")
        try await folder.drain(FakeDenoiser())
        let ledger = try folder.ledger()
        try ledger.prepareCopy(2, of: 1, at: folder.output.appending("b-denoised.tiff"))
        #expect(try ledger.pendingCopies().map(\.id) == [2])
        try ledger.close()
        try await folder.drain(FakeDenoiser())
        #expect(try folder.ledger().pendingCopies().isEmpty)
        #expect(try folder.outputs() == ["denoised-a.tiff"])
    }

    @Test func historyForgetsOnlyWhatLeftAnInboxThatIsThere() async throws {
        let folder = try ServiceFolder()
        for name in ["gone", "here"] { try folder.put(name, as: "\(name).png") }
        try await folder.drain(FakeDenoiser())
        try FileManager.default.removeItem(atPath: folder.inbox.appending("gone.png").string)
        var settings = folder.configuration
        settings.history.keep = .seconds(86400)
        let progress = ServiceProgress()
        let ledger = try folder.ledger()
        var housekeeper = Housekeeper(
            live: LiveSettings(Settings(settings, denoiser: FakeDenoiser())), ledger: ledger, progress: progress,
            logger: .silent, time: { .zero })
        func names(_ days: Double, isAway: Bool) throws -> [String] {
            housekeeper.wallClock = { Date(timeIntervalSinceNow: days * 86400) }
            progress.update {
                $0.inboxes = [InboxStatus(folder.inbox, .events, "ext4", isAway: isAway, stabilityDelay: .zero)]
            }
            #expect(try housekeeper.keepHouse())
            return try folder.history()
        }
        #expect(housekeeper.firstPause() == .zero)
        #expect(try names(0.5, isAway: false).count == 2)
        #expect(try names(2, isAway: true).count == 2)
        #expect(try names(2, isAway: false) == ["here.png done"])
        housekeeper.wallClock = { Date() }
        #expect(housekeeper.firstPause() > .seconds(86390))
    }
}
