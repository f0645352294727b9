import Denoising
import Foundation
import Networks
import SystemPackage
import Tensors
import Testing

extension EndToEnd {
    /// Fine-tuning, what is decided on it, and what becomes of the model.
    @Suite struct FinetuneTests {
        private let place: Workplace

        init() throws {
            place = try Workplace()
            try place.folder("captures")
            try writeTinted()
            #expect(try place.run("model", "use", "tinted.safetensors", "--state", "state").code == 0)
            for index in 0..<9 {
                try place.putWaves(as: "captures/\(index).png", width: 200 + 8 * index, height: 200, noise: 16)
            }
        }

        private func finetune(_ arguments: String...) throws -> Program.Outcome {
            try place.run.start(["finetune", "--state", "state", "--json"] + arguments).finish()
        }

        /// A model that knows no more than to take the mean of a pixel's neighbours, and tints what it finds.
        private func writeTinted(by tint: Float = 0.02, as name: String = "tinted.safetensors") throws {
            let network = NAFNetBase(.init(width: 4, encoder: [1], middle: 1, decoder: [1]))
            var weights = Weights(initialising: network, seed: 1)
            weights.tensors["ending.weight"] = weights.tensors["ending.weight"].map { Tensor($0.shape) }
            weights.tensors["ending.bias"] = Tensor([3], [tint, -tint, tint])
            try Model.write(
                weights, of: network, metadata: ["hidden_pixels": "neighbours", "stride": "1"],
                to: FilePath(place[name].path))
        }

        /// There is a tint to unlearn.
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
            for fact in ["parent", "tinted", "held_out_gain", "pinned_after"] {
                #expect(show.output.contains(fact), "\(fact)")
            }
            let back = try place.run("model", "rollback", "--state", "state")
            #expect(back.code == 0 && back.output.hasPrefix("tinted is in use"), "\(back.output)")
            #expect(try place.names("state/finetune").allSatisfy { $0 != "checkpoint" })
        }

        /// Two cameras, one of them with a model of its own.
        @Test func aCamerasOwnModelServesItsPhotographsAlone() throws {
            let (own, other) = ("Canon EOS 5D", "NIKON D750")
            try place.folder("mixed")
            for index in 0..<12 {
                try place.putWaves(
                    as: "mixed/\(index).png", width: 200 + 8 * index, height: 200, noise: 16,
                    camera: index % 4 == 0 ? other : own)
            }
            let outcome = try finetune("--captures", "mixed", "--camera", own, "--steps", "60")
            #expect(outcome.errors.contains("learning from") && outcome.code == 0, "\(outcome.errors)")
            let decision = try #require(try outcome.objects().first)
            #expect(decision["promoted"] as? Bool == true && decision["camera"] as? String == "canoneos5d")
            let name = try #require(decision["candidate"] as? String)
            #expect(decision["parent"] as? String == "tinted")

            let list = try place.run("model", "list", "--state", "state", "--json").objects()
            #expect(list.first { $0["in_use"] as? Bool == true }?["name"] as? String == "tinted")
            #expect(
                list.filter { $0["cameras"] as? [String] == ["canoneos5d"] }.map { $0["name"] as? String } == [name])
            let show = try place.run("model", "show", "--state", "state", "--camera", own, "--no-speed", "--json")
            #expect(try show.objects().first?["name"] as? String == name)

            try place.folder("in")
            for (file, camera) in [("own.png", own), ("other.png", other), ("none.png", nil)] {
                try place.putWaves(as: "in/\(file)", width: 400, height: 360, noise: 16, camera: camera)
            }
            let expected = ["none.png": "tinted", "other.png": "tinted", "own.png": name]
            let processed = try place.run(
                "process", "in", "--output", "out", "--state", "state", "--preset", "balanced", "--json")
            #expect(try models(processed, "file") == expected)
            let drained = try place.run(
                "run", "--oneshot", "--inbox", "in", "--output", "out2", "--state", "state", "--preset", "balanced",
                "--set", "watch.stability_delay=0s", "--set", "limits.min_free_space=0")
            #expect(drained.code == 0, "\(drained.errors)")
            #expect(try models(try place.run("history", "--state", "state", "--json"), "source") == expected)
            // What the daemon keeps to learn from says whose it is.
            #expect(try place.names("state/captures").filter { $0.hasPrefix("canoneos5d_0-") }.count == 1)

            let back = try place.run("model", "rollback", "--state", "state", "--camera", own)
            #expect(back.code == 0 && back.output.hasPrefix("tinted is in use for canoneos5d"), "\(back.output)")
            #expect(try place.run("model", "rollback", "--state", "state", "--camera", own).code == 1)
            #expect(try place.run("model", "rollback", "--state", "state", "--camera", " ").code == 2)
        }

        /// Model by file name.
        private func models(_ outcome: Program.Outcome, _ key: String) throws -> [String: String] {
            Dictionary(
                uniqueKeysWithValues: try outcome.objects().map { row in
                    (
                        URL(filePath: try #require(row[key] as? String)).lastPathComponent,
                        try #require(row["model"] as? String)
                    )
                })
        }

        /// Only the crops whose names say so.
        @Test func keptCropsOfACameraAreLearnedFromByTheirNames() throws {
            try place.folder("state/captures")
            for index in 0..<9 {
                let kind = index < 8 ? "canoneos5d_3200" : "nikond750_100"
                try place.putWaves(
                    as: "state/captures/\(kind)-\(index).png", width: 200 + 8 * index, height: 200, noise: 16)
            }
            let nikon = try finetune("--from-ledger", "--camera", "NIKON D750", "--steps", "1")
            #expect(
                nikon.code == 0 && nikon.output.contains("1 captures with noise and a picture below it are too few"),
                "\(nikon.output)")
            let canon = try finetune("--from-ledger", "--camera", "Canon EOS 5D", "--steps", "1")
            #expect(canon.code == 0 && !canon.output.contains("too few"), "\(canon.output)")
            #expect(
                try place.names("state/captures").filter { $0.hasPrefix(".") } == [
                    ".learned-canoneos5d", ".learned-nikond750",
                ])
        }

        /// Both as they are: the same model gains nothing, one without the tint does.
        @Test(arguments: [true, false]) func aModelMadeElsewhereIsJudgedAsItIs(isBetter: Bool) throws {
            if isBetter { try writeTinted(by: 0, as: "other.safetensors") }
            let file = isBetter ? "other.safetensors" : "tinted.safetensors"
            let outcome = try finetune("--captures", "captures", "--candidate", file)
            #expect(outcome.code == 0, "\(outcome.errors)")
            let decision = try #require(try outcome.objects().first)
            #expect(decision["promoted"] as? Bool == isBetter, "\(decision)")
            let list = try place.run("model", "list", "--state", "state", "--json").objects()
            #expect(
                list.first { $0["in_use"] as? Bool == true }?["name"] as? String == (isBetter ? "other" : "tinted"))
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
            #expect(list.first { $0["in_use"] as? Bool == true }?["name"] as? String == "tinted")
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
