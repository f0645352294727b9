import Foundation
import Imaging
import Ledger
import SystemPackage
import Testing

@testable import DenoiseService

/// A ledger that is gone, its backups with it, and outputs that tell what they were made of.
@Suite struct RebuildingTests {
    private let folder: ServiceFolder

    init() throws { folder = try ServiceFolder() }

    private func loseTheLedger() throws {
        try FileManager.default.removeItem(atPath: folder.state.string)
        try createFolder(folder.state)
    }

    private func rebuild() throws -> Int {
        let ledger = try folder.ledger()
        defer { try? ledger.close() }
        return try Rebuilding(folder.configuration, ledger: ledger, logger: .silent).run()
    }

    /// File systems without attributes remember nothing, and then there is nothing to test.
    private var keepsNotes: Bool {
        let file = folder.root.appending("note")
        return (try? write("x".utf8, to: file)) != nil && FileNote.write([1], to: file)
    }

    @Test func whatWasDoneIsKnownAgainAndNotDoneOnceMore() async throws {
        try #require(keepsNotes)
        for name in ["a.png", "trip/b.png"] { try folder.put(name, as: name) }
        try await folder.drain(FakeDenoiser())
        let outputs = try folder.outputs()
        try loseTheLedger()
        #expect(try rebuild() == 2)
        #expect(try rebuild() == 0)
        #expect(try folder.history() == ["a.png done", "b.png done"])
        let denoiser = FakeDenoiser()
        try folder.put("new", as: "c.png")
        try await folder.drain(denoiser)
        #expect(denoiser.photographs == [folder.inbox.appending("c.png")])
        #expect(try folder.history() == ["a.png done", "b.png done", "c.png done"])
        #expect(Set(try folder.outputs()) == Set(outputs + ["denoised-c.tiff"]))
        let record = try #require(try folder.ledger().history().first { $0.source.hasSuffix("a.png") })
        #expect(record.camera == "Fake 1" && record.iso == 800 && record.noiseBefore == 10)
        #expect(record.output == folder.output.appending("denoised-a.tiff").string)
    }

    @Test func anOutputThatChangedOrBelongsToOthersIsNotBelieved() async throws {
        try #require(keepsNotes)
        for name in ["a.png", "b.png", "d.png"] { try folder.put(name, as: name) }
        try await folder.drain(FakeDenoiser())
        let forged = folder.output.appending("denoised-d.tiff")
        let text = String(decoding: try #require(FileNote.read(forged)), as: UTF8.self)
        #expect(FileNote.write(Array(text.replacing("\"width\":3", with: "\"width\":-3").utf8), to: forged))
        let note = try #require(FileNote.read(folder.output.appending("denoised-b.tiff")))
        try write("touched up".utf8, to: folder.output.appending("denoised-b.tiff"))
        try write("nonsense".utf8, to: folder.output.appending("c.tiff"))
        #expect(FileNote.write(Array("{}".utf8), to: folder.output.appending("c.tiff")))
        #expect(FileNote.read(folder.output.appending("denoised-b.tiff")) == note)
        try loseTheLedger()
        #expect(try rebuild() == 1)
        try loseTheLedger()
        var others = folder.configuration
        others.watch.paths = [folder.root.appending("elsewhere")]
        #expect(try Rebuilding(others, ledger: folder.ledger(), logger: .silent).run() == 0)
    }

    @Test func aNameThatIsNoTextReturnsByteForByte() async throws {
        try #require(keepsNotes)
        let name = try #require(
            FilePath.Component(platformString: [0x61, .init(truncatingIfNeeded: 0xFF), 0x0A, 0x2E, 0x70, 0x6E, 0x67, 0])
        )
        try write("one".utf8, to: folder.inbox.appending(name))
        try await folder.drain(FakeDenoiser())
        try loseTheLedger()
        #expect(try rebuild() == 1)
        #expect(try folder.ledger().sightings(of: [folder.inbox.appending(name)]).count == 1)
    }
}
