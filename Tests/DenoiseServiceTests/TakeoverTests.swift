import Denoising
import Foundation
import Ledger
import SystemPackage
import Testing

@testable import DenoiseService

/// What a daemon makes of a state folder whose last daemon was killed.
@Suite struct TakeoverTests {
    /// A ledger as a kill leaves it: one photograph claimed, nothing more.
    private func killedWhileRunning(_ folder: ServiceFolder) throws -> (ledger: Ledger, id: Int64) {
        try folder.put("one", as: "a.png")
        let ledger = try folder.ledger()
        let path = folder.inbox.appending("a.png")
        let content = try ContentHash(of: path)
        try ledger.apply([.queued(path, content.identity)])
        let id = try #require(try ledger.nextQueued()).id
        let recipe = Recipe(
            hash: String(repeating: "a", count: 64), modelName: "fake", modelHash: String(repeating: "b", count: 64))
        _ = try ledger.claim(id, contentHash: content.text, identity: content.identity, recipe: recipe)
        return (ledger, id)
    }

    private func output(_ path: FilePath, hash: String) -> OutputRecord {
        OutputRecord(path: path, hash: hash, width: 3, height: 2, passes: 1, tilePlan: "1x1 of 3")
    }

    @Test func aKilledPhotographIsDenoisedAgainAndItsStagingRemoved() async throws {
        let folder = try ServiceFolder()
        let (ledger, id) = try killedWhileRunning(folder)
        try ledger.close()
        let staged = try OutputFolder(folder.output, state: folder.state).stage(id)
        try write("half".utf8, to: staged.appending("denoised-a.tiff"))
        try await folder.drain(FakeDenoiser())
        #expect(try folder.history() == ["a.png done"])
        #expect(try folder.outputs() == ["denoised-a.tiff"])
        #expect(try folder.ledger().show(id).attempts.map(\.outcome) == ["interrupted", "done"])
    }

    @Test func anOutputThatReachedItsNameIsNotMadeAgain() async throws {
        let folder = try ServiceFolder()
        let (ledger, id) = try killedWhileRunning(folder)
        let final = folder.output.appending("denoised-a.tiff")
        try write("one!".utf8, to: final)
        try ledger.prepare(id, output: output(final, hash: try ContentHash(of: final).text))
        try ledger.close()
        let denoiser = FakeDenoiser()
        try await folder.drain(denoiser)
        #expect(denoiser.photographs.isEmpty)
        #expect(try folder.history() == ["a.png done"])
        #expect(try folder.outputs() == ["denoised-a.tiff"])
    }

    @Test func aForeignFileUnderTheChosenNameStays() async throws {
        let folder = try ServiceFolder()
        let (ledger, id) = try killedWhileRunning(folder)
        let final = folder.output.appending("denoised-a.tiff")
        try write("precious".utf8, to: final)
        try ledger.prepare(id, output: output(final, hash: String(repeating: "c", count: 64)))
        try ledger.close()
        try await folder.drain(FakeDenoiser())
        #expect(try bytes(of: final) == Array("precious".utf8))
        #expect(try bytes(of: folder.output.appending("denoised-a-2.tiff")) == Array("one!".utf8))
        #expect(try folder.history() == ["a.png done"])
    }

    @Test func aStopTakesAPhotographAwayOnlyWhileItIsDenoised() {
        let custody = Custody()
        #expect(custody.take(1))
        #expect(custody.keep(1))
        #expect(custody.stop() == nil)
        custody.release()
        #expect(custody.take(2))
        #expect(custody.stop() == 2)
        #expect(!custody.keep(2))
        #expect(!custody.take(3))
    }

    @Test func takenNamesAreNeverTakenOver() throws {
        let folder = try ServiceFolder()
        let output = OutputFolder(folder.output, state: folder.state)
        let staged = try output.stage(1).appending("a.tiff")
        try write("new".utf8, to: staged)
        let final = folder.output.appending("a.tiff")
        try write("old".utf8, to: final)
        #expect(try !output.publish(staged, as: final))
        #expect(try bytes(of: final) == Array("old".utf8))
        #expect(try output.publish(staged, as: folder.output.appending("b.tiff")))
    }

    @Test func numberedNamesFitTheFileSystem() throws {
        let long = try #require(FilePath.Component(String(repeating: "x", count: 250) + ".tiff"))
        let second = OutputFolder.candidate(2, for: long)
        #expect(second.string.utf8.count == 255)
        #expect(second.string.hasSuffix("xx-2.tiff"))
        #expect(OutputFolder.candidate(12, for: "a.b.png") == "a.b-12.png")
        #expect(OutputFolder.candidate(1, for: "a.png") == "a.png")
    }
}
