import Denoising
import Foundation
import Networks
import SystemPackage
import Testing

extension EndToEnd {
    /// Fine-tuning, what is decided on it, and what becomes of the model.
    @Suite struct FinetuneTests {
        private let place: Workplace

        init() throws {
            place = try Workplace()
            try place.folder("captures")
            #expect(try place.run("model", "use", place.model, "--state", "state").code == 0)
            for index in 0..<9 {
                try place.putWaves(as: "captures/\(index).png", width: 200 + 8 * index, height: 200, noise: 16)
            }
        }

        private func finetune(_ arguments: String...) throws -> Program.Outcome {
            try place.run.start(["finetune", "--state", "state", "--json"] + arguments).finish()
        }

        /// The tiny model adds noise of its own to every photograph, so there is much to gain.
        @Test func aBetterModelIsUsedByEveryCommandAndCanBeTakenBack() throws {
            let outcome = try finetune("--captures", "captures", "--steps", "60")
            #expect(outcome.code == 0, "\(outcome.errors)")
            let decision = try #require(try outcome.objects().first)
            #expect(decision["promoted"] as? Bool == true, "\(decision)")
            let name = try #require(decision["candidate"] as? String)
            let before = try #require(decision["before"] as? Double)
            #expect(try #require(decision["after"] as? Double) > before)
            let list = try place.run("model", "list", "--state", "state", "--json").objects()
            #expect(list.first { $0["in_use"] as? Bool == true }?["name"] as? String == name)
            let process = try place.run(
                "process", "captures/0.png", "--output", "out", "--state", "state", "--preset", "balanced")
            #expect(process.code == 0, "\(process.errors)")
            let show = try place.run("model", "show", "state/models/\(name).safetensors")
            for fact in ["parent", "tiny", "held_out_gain", "pinned_after"] {
                #expect(show.output.contains(fact), "\(fact)")
            }
            let back = try place.run("model", "rollback", "--state", "state")
            #expect(back.code == 0 && back.output.hasPrefix("tiny is in use"), "\(back.output)")
            #expect(try place.names("state/finetune").allSatisfy { $0 != "checkpoint" })
        }

        /// Captures without noise are found before anything is trained.
        @Test func capturesThatTeachNothingPromoteNothing() throws {
            try place.folder("clean")
            for index in 0..<9 {
                try place.putWaves(
                    as: "clean/\(index).png", width: 200 + 8 * index, height: 200, noise: 0, amplitude: 0)
            }
            let outcome = try finetune("--captures", "clean", "--steps", "5")
            #expect(outcome.code == 0)
            let decision = try #require(try outcome.objects().first)
            #expect(decision["promoted"] as? Bool == false)
            #expect(decision["candidate"] is NSNull && decision["before"] is NSNull && decision["after"] is NSNull)
            #expect((decision["reason"] as? String)?.contains("too few") == true)
            #expect(outcome.errors.contains("it has no noise to learn from"))
            let list = try place.run("model", "list", "--state", "state", "--json").objects()
            #expect(list.first { $0["in_use"] as? Bool == true }?["name"] as? String == "tiny")
        }

        @Test(arguments: [
            [], ["--captures", "captures", "--from-ledger"],
            ["--captures", "captures", "--steps", "3", "--minutes", "1"],
            ["--captures", "captures", "--minutes", "0"],
        ])
        func wrongUseIsTwo(_ arguments: [String]) throws {
            #expect(try place.run.start(["finetune", "--state", "state"] + arguments).finish().code == 2)
        }

        @Test func aMissingFolderIsSaidInOneLine() throws {
            let outcome = try finetune("--captures", "nowhere", "--steps", "3")
            #expect(outcome.code == 1)
            #expect(outcome.errors.contains("nowhere"))
        }
    }
}
