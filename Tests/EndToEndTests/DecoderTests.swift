import Foundation
import Imaging
import SystemPackage
import TestSupport
import Testing

extension EndToEnd {
    /// Photographs are decoded in a process of its own, which may die without harm.
    @Suite struct DecoderTests {
        private let place: Workplace

        init() throws {
            place = try Workplace()
            try place.put("pngsuite/basn2c08.png", as: "in/a.png")
            try place.put("made/mosaic.dng", as: "in/b.dng")
            try place.put("made/rgb16-little.tif", as: "in/c.tif")
        }

        private func decoder() throws -> DecoderProcess {
            DecoderProcess(executable: FilePath(try #require(Program.executable).path))
        }

        /// `process` under strace, which makes a system call fail or end the process that makes it.
        private func process(_ injection: String, environment: [String: String] = [:]) throws -> Program.Outcome {
            try place.run.start(
                ["process", "in", "--output", "out", "--model", place.model, "--method", "plain"],
                environment: environment, injecting: injection
            ).finish()
        }

        @Test func aDecoderCannotOpenConnectSignalOrFork() throws {
            #expect(try decoder().isConfined())
        }

        @Test func aChildDecodesWhatThisProcessDoes() throws {
            let decoder = PhotographDecoder.inChild(try decoder())
            let names = ["made", "pngsuite", "camera"].flatMap { folder in
                let url = Fixtures.url("Images/\(folder)")
                return ((try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []).map {
                    FilePath(url.appending(path: $0).path)
                }
            }
            #expect(names.count > 170)
            for name in names {
                let here = Result { () throws(ImagingError) in try ImageDecoder.decode(name) }
                let there = Result { () throws(ImagingError) in try decoder.decode(name) }
                switch (here, there) {
                case (.success(let here), .success(let there)):
                    #expect(here.pixels == there.pixels && here.metadata == there.metadata, "\(name)")
                    #expect(here.iccProfile == there.iccProfile && here.exif == there.exif, "\(name)")
                    #expect(here.format == there.format && here.colorimetry == there.colorimetry, "\(name)")
                case (.failure(let here), .failure(let there)): #expect(here == there)
                default: Issue.record("\(name): \(here) here, \(there) there")
                }
            }
        }

        @Test(.enabled(if: Strace.isThere, Strace.missing))
        func aDecoderThatCrashesFailsItsFileAlone() throws {
            let outcome = try process("landlock_restrict_self:signal=SIGSEGV")
            #expect(outcome.code == 3)
            #expect(outcome.errorLines.count == 3)
            for line in outcome.errorLines {
                #expect(line.contains("ended by signal 11") && line.contains("LibRaw 0."))
            }
            #expect(try place.names("out").isEmpty)
            #expect(try place.run("process", "in", "--output", "out", "--model", place.model).code == 0)
        }

        @Test(.enabled(if: Strace.isThere, Strace.missing))
        func aSystemWithoutFiltersRefusesRAWUnlessToldOtherwise() throws {
            let outcome = try process("seccomp:error=ENOSYS")
            #expect(outcome.code == 3)
            #expect(outcome.errorLines.count == 1)
            #expect(
                outcome.errors.contains("b.dng") && outcome.errors.contains("DENOISED_DECODER_CONFINEMENT=preferred"))
            #expect(try place.names("out") == ["a-denoised.png", "c-denoised.tif"])
            let trusting = try process(
                "seccomp:error=ENOSYS", environment: ["DENOISED_DECODER_CONFINEMENT": "preferred"])
            #expect(trusting.code == 0)
            #expect(try place.names("out").contains("b-denoised.tif"))
        }

        @Test(.enabled(if: Strace.isThere, Strace.missing))
        func aSystemWithoutLandlockHasTheFilterLeft() throws {
            #expect(try process("landlock_create_ruleset:error=ENOSYS").code == 0)
        }
    }
}
