import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// `denoised model`: from a checkpoint of torch to a denoised photograph.
    @Suite struct ModelTests {
        private let place: Workplace

        init() throws { place = try Workplace() }

        private func fixture(_ name: String) -> String { Fixtures.url("Torch/\(name)").path }

        @Test func aCheckpointIsImportedVerifiedShownAndUsed() throws {
            try place.put("made/rgb16-little.tif", as: "c.tif")
            let imported = try place.run("model", "import", fixture("basicsr.pth"), "--out", "m.safetensors", "--json")
            #expect(imported.code == 0 && imported.errors.isEmpty)
            let facts = try #require(try imported.objects().first)
            #expect(facts["network"] as? String == "nafnet" && facts["variant"] as? String == "plain")
            let hash = try #require(facts["sha256"] as? String)

            let verified = try place.run("model", "verify", "m.safetensors", "--sha256", hash, "--json").objects()
            #expect(verified.first?["sound"] as? Bool == true && verified.first?["weights_match"] as? Bool == true)
            let shown = try #require(try place.run("model", "show", "m.safetensors", "--json").objects().first)
            #expect(shown["sha256"] as? String == hash && shown["source"] as? String == "basicsr.pth")
            #expect(shown["seconds_per_megapixel"] as? Double ?? 0 > 0)
            #expect(shown["licence"] is NSNull)

            let used = try place.run(
                "process", "c.tif", "--output", "out", "--model", "m.safetensors", "--method", "plain")
            #expect(used.code == 0 && used.errors.isEmpty)
            let masked = try place.run("process", "c.tif", "--output", "out", "--model", "m.safetensors")
            #expect(masked.errors.contains("add --method plain"))
        }

        @Test func anExistingFileIsLeftAlone() throws {
            let before = try place.bytes("tiny.safetensors")
            let outcome = try place.run("model", "import", fixture("parallel.pt"), "--out", place.model)
            #expect(outcome.code == 1 && outcome.errorLines.count == 1)
            #expect(outcome.errors.contains("it exists; choose another name or add --replace"))
            #expect(try place.bytes("tiny.safetensors") == before)
            #expect(
                try place.run("model", "import", fixture("parallel.pt"), "--out", place.model, "--replace").code == 0)
        }

        @Test(arguments: [("calls.pth", "posix.system"), ("legacy.pth", "torch.save"), ("module.pth", "torch.nn")])
        func whatIsRefusedIsSaidInOneLine(_ name: String, _ cause: String) throws {
            let outcome = try place.run("model", "import", fixture(name), "--out", "m.safetensors")
            #expect(outcome.code == 1 && outcome.output.isEmpty && outcome.errorLines.count == 1)
            #expect(outcome.errors.contains(name) && outcome.errors.contains(cause))
            #expect(try place.names("") == ["tiny.safetensors"])
        }

        @Test func aDamagedModelFailsItsVerification() throws {
            var bytes = try place.bytes("tiny.safetensors")
            bytes[bytes.count - 40] ^= 1
            try bytes.write(to: place["tiny.safetensors"])
            let outcome = try place.run("model", "verify", place.model)
            #expect(outcome.code == 1 && outcome.output.contains("NOT AS RECORDED"))
            #expect(outcome.errorLines.count == 1)
        }

        @Test func modelsAreChosenAndTakenBack() throws {
            #expect(try place.run("model", "use", place.model, "--state", "state").code == 0)
            let listed = try place.run("model", "list", "--state", "state", "--json").objects()
            #expect(listed.first { $0["name"] as? String == "tiny" }?["in_use"] as? Bool == true)
            let back = try place.run("model", "rollback", "--state", "state")
            #expect(back.code == 0 && back.output.hasPrefix("denoised is in use"))
            #expect(try place.run("model", "rollback", "--state", "state").code == 1)
            #expect(try place.run("model", "use", "nothing", "--state", "state").code == 1)
        }
    }
}
