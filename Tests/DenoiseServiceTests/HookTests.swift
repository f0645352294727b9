import Foundation
import Ledger
import SystemPackage
import Testing

@testable import DenoiseService

/// One after the other: a program cannot be started while another test's child still has its file open for writing.
@Suite(.serialized) struct HookTests {
    /// A shell script that writes what it hears into the file `heard`.
    private func script(_ folder: ServiceFolder, _ name: String, _ body: String) throws -> FilePath {
        let path = folder.root.appending(name)
        try write("#!/bin/sh\n\(body)\n".utf8, to: path)
        #expect(chmod(path.string, 0o700) == 0)
        return path
    }

    private func heard(_ folder: ServiceFolder) -> [String] {
        let text = FileManager.default.contents(atPath: folder.root.appending("heard").string) ?? Data()
        return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    @Test func hooksHearOfEveryPhotograph() async throws {
        let folder = try ServiceFolder()
        try folder.put("one", as: "a b.png")
        try folder.put("bad", as: "c.png")
        var configuration = folder.configuration
        let body = """
            echo "$DENOISED_JOB_ID $DENOISED_STATUS $DENOISED_SOURCE>$DENOISED_OUTPUT" >> '\(folder.root)/heard'
            """
        configuration.hooks.pre = try script(folder, "pre", body)
        configuration.hooks.post = try script(folder, "post", body)
        try await folder.drain(FakeDenoiser(), configuration)
        #expect(
            heard(folder) == [
                "1 running \(folder.inbox)/a b.png>",
                "1 done \(folder.inbox)/a b.png>\(folder.output)/denoised-a b.tiff",
                "2 running \(folder.inbox)/c.png>", "2 failed \(folder.inbox)/c.png>",
            ])
    }

    @Test func aPhotographThatTheHookRefusesFailsAndIsNotDenoised() async throws {
        let folder = try ServiceFolder()
        try folder.put("one", as: "a.png")
        var configuration = folder.configuration
        configuration.hooks.pre = try script(folder, "pre", "exit 3")
        let denoiser = FakeDenoiser()
        let outcome = try await folder.drain(denoiser, configuration)
        #expect(outcome.failed == 1)
        #expect(denoiser.photographs.isEmpty)
        #expect(try folder.ledger().history().first?.reason?.contains("exit code 3") == true)
    }

    @Test func aHookThatFailsAfterwardsChangesNothing() async throws {
        let folder = try ServiceFolder()
        try folder.put("one", as: "a.png")
        var configuration = folder.configuration
        configuration.hooks.post = "/nowhere/hook"
        try await folder.drain(FakeDenoiser(), configuration)
        #expect(try folder.history() == ["a.png done"])
    }

    @Test func namesReachAHookByteForByte() throws {
        let folder = try ServiceFolder()
        let program = try script(folder, "hook", "printf %s \"$DENOISED_SOURCE\" > '\(folder.root)/heard'")
        let name: [UInt8] = Array("/in/".utf8) + [0xFF, 0x0A, 0x61]
        try Hook(program: program, timeout: .seconds(30)).run(
            [("DENOISED_SOURCE", name)], beat: {}, isCancelled: { false })
        #expect(try bytes(of: folder.root.appending("heard")) == name)
    }

    @Test func aHookThatHangsIsEndedWithItsChildren() throws {
        let folder = try ServiceFolder()
        let program = try script(folder, "hook", "sleep 600 & echo $! > '\(folder.root)/heard'; wait")
        let hook = Hook(program: program, timeout: .milliseconds(300))
        let error = #expect(throws: ServiceError.self) { try hook.run([], beat: {}, isCancelled: { false }) }
        #expect(error?.code == .hookFailed)
        #expect(error?.cause.contains("longer than 0.3s") == true)
        let child = heard(folder).first.flatMap { Int32($0) }
        // A killed process may still be listed until it is reaped, and on a busy machine needs a moment to die.
        func state() -> Substring? {
            child.flatMap { FileManager.default.contents(atPath: "/proc/\($0)/stat") }
                .map { String(decoding: $0, as: UTF8.self).split(separator: " ")[2] }
        }
        let isOver = { [nil, "Z", "X"].contains(state()) }
        let limit = ContinuousClock.now + .seconds(20)
        while !isOver(), ContinuousClock.now < limit { usleep(10_000) }
        #expect(isOver())
    }

    @Test func aHookEndsWhenTheServiceStops() throws {
        let folder = try ServiceFolder()
        let program = try script(folder, "hook", "sleep 600")
        let hook = Hook(program: program, timeout: .seconds(500))
        let error = #expect(throws: ServiceError.self) { try hook.run([], beat: {}, isCancelled: { true }) }
        #expect(error?.cause == "the service stops")
    }
}
