import Foundation
import Imaging
import SystemPackage
import Testing

extension EndToEnd {
    /// A photograph without noise is said to need nothing, wherever somebody asks.
    @Suite struct CleanPhotographTests {
        private let place: Workplace

        init() throws {
            place = try Workplace()
            try place.folder("in")
            let samples = (0..<96 * 64).flatMap { index in [UInt8](repeating: UInt8(60 + index % 96), count: 3) }
            let pixels = PixelBuffer(width: 96, height: 64, colourChannels: 3, samples: .uint8(samples))
            let file = try StagedFile(FilePath(place["in/clean.png"].path))
            try ImageEncoder.encode(Photograph(pixels: pixels, format: .png), format: .png, to: file)
            _ = try file.finish()
        }

        private let finding = "it needs nothing: no measurable noise (0.0 of 255), so it was "

        @Test func processSaysSoAndCopiesOrSkips() throws {
            let copied = try place.run("process", "in", "--output", "out", "--model", place.model, "--json")
            let line = try #require(try copied.objects().first)
            #expect(copied.code == 0 && line["status"] as? String == "done")
            #expect(line["reason"] as? String == finding + "only copied")
            #expect(try place.contents("out") == ["clean-denoised.png": place.bytes("in/clean.png")])
            let text = try place.run("process", "in", "--output", "again", "--model", place.model)
            #expect(text.output.contains(finding + "only copied"))
            let skipped = try place.run(
                "process", "in", "--output", "none", "--model", place.model, "--on-clean", "skip", "--json")
            let other = try #require(try skipped.objects().first)
            #expect(skipped.code == 0 && other["status"] as? String == "skipped" && other["output"] is NSNull)
            #expect(other["reason"] as? String == finding + "skipped")
            #expect(try place.names("none").isEmpty)
        }

        @Test(arguments: [("copy", "done", "only copied"), ("skip", "skipped", "skipped")])
        func theServiceSaysSoInLogLedgerAndExplanation(option: String, status: String, words: String) throws {
            let outcome = try place.run.start(
                [
                    "run", "--oneshot", "--inbox", "in", "--output", "out", "--state", "state", "--model", place.model,
                    "--set", "watch.stability_delay=0s", "--set", "limits.min_free_space=0",
                ], environment: ["DENOISED_DENOISE_ON_CLEAN": option]
            ).finish()
            #expect(outcome.code == 0 && outcome.errors.contains(finding + words))
            let row = try #require(try place.run("history", "--json", "--state", "state").objects().first)
            #expect(row["status"] as? String == status && row["reason"] as? String == finding + words)
            #expect(try place.names("out") == (option == "copy" ? ["clean-denoised.png"] : []))
            #expect(try place.run("history", "--state", "state").output.contains(finding + words))
            let explain = try place.run("explain", "in/clean.png", "--state", "state", "--inbox", "in")
            #expect(explain.output.contains(finding + words))
        }
    }
}
