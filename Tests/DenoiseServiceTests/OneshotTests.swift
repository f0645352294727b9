import Denoising
import Foundation
import Ledger
import SystemPackage
import Testing

@testable import DenoiseService

/// Whole runs of the daemon with a denoiser that copies.
@Suite struct OneshotTests {
    @Test func aFailingPhotographDoesNotStopTheOthers() async throws {
        let folder = try ServiceFolder()
        try folder.put("one", as: "a.png")
        try folder.put("bad", as: "b.png")
        try folder.put("three", as: "trip/c.dng")
        let outcome = try await folder.drain(FakeDenoiser())
        #expect(outcome == Daemon.Outcome(finished: 3, failed: 1, waiting: 0))
        #expect(try folder.history() == ["a.png done", "b.png failed", "c.dng done"])
        #expect(try folder.outputs() == ["denoised-a.tiff", "trip", "trip/denoised-c.tiff"])
        let failure = try folder.ledger().history(HistoryFilter(status: .failed)).first
        #expect(failure?.reason == "not a photograph; replace it")
    }

    @Test func originalsStayAsTheyAre() async throws {
        let folder = try ServiceFolder()
        try folder.put("one", as: "a.png")
        try folder.put("bad", as: "b.png")
        let before = try ["a.png", "b.png"].map { try FileStatus.of(folder.inbox.appending($0)) }
        try await folder.drain(FakeDenoiser())
        #expect(try ["a.png", "b.png"].map { try FileStatus.of(folder.inbox.appending($0)) } == before)
        #expect(try folderEntries(of: folder.inbox).map(\.string) == ["a.png", "b.png"])
    }

    @Test func nothingIsDoneTwice() async throws {
        let folder = try ServiceFolder()
        let denoiser = FakeDenoiser()
        try folder.put("one", as: "a.png")
        try folder.put("one", as: "b.png")
        try await folder.drain(denoiser)
        let second = try await folder.drain(denoiser)
        #expect(second.finished == 0)
        #expect(denoiser.photographs.count == 1)
        #expect(try folder.history() == ["a.png done", "b.png duplicate"])
    }

    /// The camera, which decides on the model, is known only after the claim; copies are recognised all the same.
    @Test func theLedgerNamesTheModelOfTheCameraAndKnowsCopies() async throws {
        let folder = try ServiceFolder()
        let denoiser = FakeDenoiser(recipe: "a", own: "d")
        try folder.put("one", as: "a.png")
        try folder.put("one", as: "b.png")
        try await folder.drain(denoiser)
        #expect(denoiser.photographs.count == 1)
        #expect(try folder.history() == ["a.png done", "b.png duplicate"])
        let rows = try folder.ledger().history()
        #expect(rows.map(\.model) == ["own", "own"])
        #expect(try folder.ledger().show(rows[0].id).recipeHash == denoiser.recipes["Fake 1"].hash)
        let output = folder.output.appending("denoised-a.tiff")
        if let note = Provenance(of: output) { #expect(note.model == "own" && note.recipe.first == "d") }
    }

    @Test func onlyWhatAnotherModelIsInUseForIsDoneAnew() async throws {
        let folder = try ServiceFolder()
        try folder.put("one", as: "a.png")
        try await folder.drain(FakeDenoiser())
        // The general model is another one; this camera has its own meanwhile, then another one again.
        for (index, (recipe, own, isNew)) in [("a", "d", true), ("c", "d", false), ("c", "e", true)].enumerated() {
            let denoiser = FakeDenoiser(recipe: Character(recipe), own: Character(own))
            try folder.put("one", as: "copy-\(index).png")
            let plan = try Plan(folder.configuration, denoiser: denoiser, ledger: folder.ledger())
            #expect(plan.items.contains { if case .duplicate = $0.step { true } else { false } } != isNew)
            try await folder.drain(denoiser)
            #expect(denoiser.photographs.count == (isNew ? 1 : 0))
        }
        #expect(
            try folder.history() == ["a.png done", "copy-0.png done", "copy-1.png duplicate", "copy-2.png done"])
    }

    @Test func aTouchedPhotographIsRecognised() async throws {
        let folder = try ServiceFolder()
        let denoiser = FakeDenoiser()
        try folder.put("one", as: "a.png")
        try await folder.drain(denoiser)
        try folder.put("one", as: "a.png")
        try await folder.drain(denoiser)
        #expect(denoiser.photographs.count == 1)
        #expect(try folder.history() == ["a.png done"])
    }

    @Test func newContentUnderAnOldNameGetsItsOwnOutput() async throws {
        let folder = try ServiceFolder()
        try folder.put("one", as: "a.png")
        try await folder.drain(FakeDenoiser())
        try folder.put("two", as: "a.png")
        try await folder.drain(FakeDenoiser())
        #expect(try folder.outputs() == ["denoised-a-2.tiff", "denoised-a.tiff"])
        #expect(try bytes(of: folder.output.appending("denoised-a.tiff")) == Array("one!".utf8))
        #expect(try folder.history() == ["a.png done", "a.png done"])
    }

    @Test func namesThatAreNotTextAreDenoised() async throws {
        let folder = try ServiceFolder()
        let name = try #require(
            FilePath.Component(platformString: [0x61, .init(truncatingIfNeeded: 0xFF), 0x0A, 0x2E, 0x70, 0x6E, 0x67, 0])
        )
        try write("one".utf8, to: folder.inbox.appending(name))
        let denoiser = FakeDenoiser()
        let outcome = try await folder.drain(denoiser)
        #expect(outcome == Daemon.Outcome(finished: 1, failed: 0, waiting: 0))
        #expect(denoiser.photographs == [folder.inbox.appending(name)])
    }

    @Test func anOutputFolderInsideTheInboxDoesNotFeedItself() async throws {
        let folder = try ServiceFolder()
        var configuration = folder.configuration
        let inside = folder.inbox.appending("out")
        configuration.output.directory = inside
        try folder.put("one", as: "a.png")
        let denoiser = FakeDenoiser()
        try await folder.drain(denoiser, configuration)
        try await folder.drain(denoiser, configuration)
        #expect(denoiser.photographs.count == 1)
        #expect(try folderEntries(of: inside).map(\.string) == ["denoised-a.tiff"])
    }

    @Test func anOutputThatIsPutIntoTheInboxIsSkipped() async throws {
        let folder = try ServiceFolder()
        try folder.put("one", as: "a.png")
        try await folder.drain(FakeDenoiser())
        try folder.put("one!", as: "copy.tiff")
        try await folder.drain(FakeDenoiser())
        #expect(try folder.history() == ["a.png done", "copy.tiff skipped"])
    }

    @Test func aPhotographThatChangesDuringTheWorkLeavesNoOutput() async throws {
        let folder = try ServiceFolder()
        try folder.put("one", as: "a.png")
        let denoiser = FakeDenoiser { try write("two".utf8, to: $0) }
        try await folder.drain(denoiser)
        #expect(try folder.outputs() == [])
        #expect(try folder.history() == ["a.png settling"])
        try await folder.drain(FakeDenoiser())
        #expect(try bytes(of: folder.output.appending("denoised-a.tiff")) == Array("two!".utf8))
        #expect(try folder.history() == ["a.png done"])
    }

    @Test func retriedPhotographsAreDenoisedByTheNextRun() async throws {
        let folder = try ServiceFolder()
        try folder.put("one", as: "a.png")
        try await folder.drain(FakeDenoiser { _ in throw FakeDenoiser.NotAPhotograph() })
        #expect(try folder.history() == ["a.png failed"])
        try await folder.drain(FakeDenoiser())
        #expect(try folder.history() == ["a.png failed"])
        #expect(try folder.ledger().retryFailed().count == 1)
        try await folder.drain(FakeDenoiser())
        #expect(try folder.history() == ["a.png done"])
        #expect(try folder.ledger().history().first?.attempts == 2)
    }

    @Test func lackOfSpaceLeavesPhotographsQueued() async throws {
        let folder = try ServiceFolder()
        try folder.put("one", as: "a.png")
        var configuration = folder.configuration
        configuration.limits.minimumFreeSpace = .max
        let error = await #expect(throws: ServiceError.self) {
            try await folder.drain(FakeDenoiser(), configuration)
        }
        #expect(error?.code == .noSpace)
        #expect(try folder.history() == ["a.png queued"])
        try await folder.drain(FakeDenoiser())
        #expect(try folder.history() == ["a.png done"])
    }

    @Test func theSecondDaemonIsToldWhoWasFirst() throws {
        let folder = try ServiceFolder()
        let lock = try Daemon.lock(folder.configuration)
        let error = #expect(throws: ServiceError.self) { try Daemon.lock(folder.configuration) }
        #expect(error?.code == .locked)
        #expect(error?.cause.contains("process \(getpid()),") == true)
        #expect(StateLock.holder(folder: folder.state) == getpid())
        withExtendedLifetime(lock) {}
    }

    @Test func aPlanSaysWhatARunWouldDoAndDoesNothing() async throws {
        let folder = try ServiceFolder()
        try folder.put("one", as: "a.png")
        try await folder.drain(FakeDenoiser())
        try folder.put("one", as: "b.png")
        try folder.put("two", as: "trip/c.png")
        try folder.put("two", as: "trip/d.png")
        let plan = try Plan(folder.configuration, denoiser: FakeDenoiser(), ledger: try folder.ledger())
        #expect(
            plan.items.map(\.step) == [
                .leave(id: 1, .done), .duplicate(of: "photograph 1"), .denoise(into: folder.output.appending("trip")),
                .duplicate(of: folder.inbox.appending("trip").appending("c.png").string),
            ])
        #expect(try folder.history() == ["a.png done"])
    }
}
