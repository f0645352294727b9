import Denoising
import Foundation
import Networks
import SystemPackage
import Tensors
import Testing

extension EndToEnd {
    /// Training, and the model that comes of it.
    @Suite struct TrainingTests {
        private let place: Workplace

        init() throws {
            place = try Workplace()
            try place.folder("captures")
            try place.putWaves(as: "captures/a.png", width: 64, height: 64)
        }

        private func train(_ arguments: String...) throws -> Program.Outcome {
            let options = ["--noisy", "captures", "--crop", "40", "--batch", "1"]
            return try place.run.start(["train"] + options + arguments).finish()
        }

        @Test func aTrainedModelIsReadyForUse() throws {
            let training = try train("--steps", "3", "--from", place.model, "--out", "mine.safetensors")
            #expect(training.code == 0)
            #expect(training.lines.last == "wrote mine.safetensors")
            let show = try place.run("model", "show", "mine.safetensors")
            #expect(show.code == 0)
            for fact in ["mine", "nafnet", "masked 3", "parameters"] { #expect(show.output.contains(fact), "\(fact)") }
            let outcome = try place.run(
                "process", "captures/a.png", "--output", "out", "--model", "mine.safetensors", "--preset", "balanced")
            #expect(outcome.code == 0)
        }

        @Test func aFinishedTrainingResumesToTheSameWeights() throws {
            _ = try train("--steps", "3", "--from", place.model, "--out", "mine.safetensors")
            let checkpoint = try place.bytes("mine.safetensors.checkpoint")
            let first = try Model(contentsOf: FilePath(place["mine.safetensors"].path))
            #expect(try train("--resume", "--out", "mine.safetensors").code == 0)
            let second = try Model(contentsOf: FilePath(place["mine.safetensors"].path))
            #expect(first.weights.tensors.mapValues(\.values) == second.weights.tensors.mapValues(\.values))
            #expect(try place.bytes("mine.safetensors.checkpoint") == checkpoint)
        }

        /// Killed at random moments, as by a power failure, and resumed each time: the bytes are those of a run that
        /// was left alone.
        @Test func aTrainingThatIsKilledAgainAndAgainEndsWithTheSameBytes() throws {
            let options = [
                "--steps", "40", "--save-every", "2", "--validate-every", "5", "--rate", "0.01", "--from", place.model,
            ]
            #expect(try place.run.start(command + options + ["--out", "whole.safetensors"]).finish().code == 0)
            var random = SystemRandomNumberGenerator()
            for _ in 0..<10 {
                let run = try place.run.start(command + options + ["--out", "killed.safetensors"] + resumption)
                Thread.sleep(forTimeInterval: .random(in: 0.02...0.4, using: &random))
                run.kill()
                _ = try run.finish()
            }
            #expect(
                try place.run.start(command + options + ["--out", "killed.safetensors"] + resumption).finish().code == 0
            )
            for name in ["safetensors", "safetensors.checkpoint"] {
                #expect(try place.bytes("killed.\(name)") == place.bytes("whole.\(name)"))
            }
            let steps = { (text: String) in text.matches(of: /"step":(\d+)/).map { $0.1 } }
            let whole = steps(
                String(decoding: try place.bytes("whole.safetensors.training/metrics.jsonl"), as: UTF8.self))
            let killed = steps(
                String(decoding: try place.bytes("killed.safetensors.training/metrics.jsonl"), as: UTF8.self))
            #expect(whole == killed && whole.count == 8)
            #expect(try place.bytes("killed.safetensors.training/loss.svg").count > 500)
        }

        private var command: [String] { ["train", "--noisy", "captures", "--crop", "40", "--batch", "1"] }

        /// Nothing to resume before the first checkpoint.
        private var resumption: [String] {
            FileManager.default.fileExists(atPath: place["killed.safetensors.checkpoint"].path) ? ["--resume"] : []
        }

        /// A student of both kinds of photographs that its own teacher's program then uses as `fast`.
        @Test func aStudentIsTaughtResumedAndUsed() throws {
            let options = ["--distil", place.model, "--clean", "captures", "--steps", "3", "--network", "student-half"]
            let command = command + options
            #expect(try place.run.start(command + ["--out", "student.safetensors"]).finish().code == 0)
            let model = try Model(contentsOf: FilePath(place["student.safetensors"].path))
            #expect(model.network.configuration.name == "student" && model.metadata["variant"] == "plain")
            #expect(model.metadata["steps"] == "distilled 3")
            let teacher = try Model(contentsOf: FilePath(place.model))
            #expect(model.metadata["teacher"]?.hasSuffix(" \(teacher.hash)") == true)
            let bytes = try place.bytes("student.safetensors")
            // A plan to distil that is resumed needs its teacher.
            let orphan = try place.run.start(self.command + ["--resume", "--out", "student.safetensors"]).finish()
            #expect(orphan.code == 2 && orphan.errors.contains("--distil"))
            #expect(try place.run.start(command + ["--resume", "--out", "student.safetensors"]).finish().code == 0)
            #expect(try place.bytes("student.safetensors") == bytes)
            let outcome = try place.run(
                "process", "captures/a.png", "--output", "out", "--model", "student.safetensors", "--preset", "fast")
            #expect(outcome.code == 0)
        }

        /// What a D-BSN takes for noise is said, and kept.
        @Test func dbsnSaysWhatNoiseItLearned() throws {
            let training = try train(
                "--method", "dbsn", "--noise-model", "awgn", "--steps", "5", "--out", "d.safetensors")
            #expect(training.code == 0)
            let noise = try #require(training.lines.first { $0.hasPrefix("noise of ") })
            let model = try Model(contentsOf: FilePath(place["d.safetensors"].path))
            #expect(model.metadata["noise_deviation"].map { "noise of \($0) of 255 in red, green and blue" } == noise)
        }

        @Test func resumingNeedsACheckpoint() throws {
            let outcome = try train("--resume", "--out", "other.safetensors")
            #expect(outcome.code == 1)
            #expect(outcome.errorLines.count == 1)
            #expect(outcome.errors.contains("other.safetensors.checkpoint"))
        }

        @Test func aModelThatDoesNotExistIsSaidInOneLine() throws {
            let outcome = try place.run("model", "show", "nothing")
            #expect(outcome.code == 1)
            #expect(outcome.errorLines.count == 1)
            #expect(outcome.errors.contains("there is no model of that name"))
        }

        @Test(arguments: [
            ["--out", "x"], ["--out", "x", "--steps", "3", "--network", "nothing"], ["--steps", "3"],
            ["--out", "x", "--steps", "3", "--crop", "50"],
            ["--out", "x", "--steps", "3", "--distil", "t", "--validate-every", "1"],
            ["--out", "x", "--clean-steps", "3", "--clean", "captures", "--distil", "t"],
            ["--out", "x", "--steps", "3", "--distil", "t", "--method", "dbsn"],
        ])
        func wrongUseIsTwo(_ arguments: [String]) throws {
            #expect(try place.run.start(["train", "--noisy", "captures"] + arguments).finish().code == 2)
        }
    }
}
