import Foundation
import Imaging
import Testing

extension EndToEnd {
    /// Commands that judge: evaluate, compare, bench.
    @Suite struct QualityTests {
        private static let scores: Set = ["noisy_psnr", "psnr", "noisy_ssim", "ssim"]

        private let place: Workplace

        init() throws {
            place = try Workplace()
            for folder in ["noisy", "clean", "pairs"] { try place.folder(folder) }
        }

        private func evaluate(_ arguments: String...) throws -> Program.Outcome {
            try place.run.start(["evaluate", "--model", place.model, "--method", "plain"] + arguments).finish()
        }

        @Test func foldersArePairedInOrder() throws {
            for name in ["a", "b"] {
                try place.putWaves(as: "noisy/\(name).png", width: 64, height: 48)
                try place.putWaves(as: "clean/\(name).png", width: 64, height: 48, noise: 0)
            }
            let outcome = try evaluate("--noisy", "noisy", "--clean", "clean", "--json")
            #expect(outcome.code == 0)
            let lines = try outcome.objects()
            #expect(lines.map { $0["file"] as? String } == ["a.png", "b.png", nil])
            #expect(lines.map { $0["images"] as? Int } == [1, 1, 2])
            for line in lines {
                #expect(Set(line.keys) == Self.scores.union(["file", "images"]))
                // Uniform noise of ±12 levels: 10·log10(255²/52), less what is clipped at white.
                #expect(abs(try #require(line["noisy_psnr"] as? Double) - 30.97) < 0.3)
            }
        }

        @Test func suffixesPairFilesOfOneFolder() throws {
            try place.putWaves(as: "pairs/x_real.png", width: 64, height: 48)
            try place.putWaves(as: "pairs/x_mean.png", width: 64, height: 48, noise: 0)
            let outcome = try evaluate(
                "--noisy", "pairs", "--clean", "pairs", "--noisy-suffix", "_real", "--clean-suffix", "_mean")
            #expect(outcome.code == 0)
            #expect(outcome.lines.count == 2)
            #expect(outcome.lines.last?.hasPrefix("mean of 1: PSNR ") == true)
        }

        @Test func equalImagesHaveNoFinitePSNR() throws {
            try place.putWaves(as: "noisy/a.png", width: 64, height: 48)
            let lines = try evaluate("--noisy", "noisy", "--clean", "noisy", "--strength", "0", "--json").objects()
            #expect(lines.count == 2)
            #expect(lines.allSatisfy { $0["noisy_psnr"] is NSNull && $0["psnr"] is NSNull })
            #expect(lines.allSatisfy { $0["ssim"] as? Double == 1 })
        }

        @Test func foldersThatDoNotPairAreSaidSo() throws {
            try place.putWaves(as: "noisy/a.png", width: 64, height: 48)
            let outcome = try evaluate("--noisy", "noisy", "--clean", "clean")
            #expect(outcome.code == 1)
            #expect(outcome.errors.contains("1 noisy and 0 clean") && outcome.errorLines.count == 1)
        }

        @Test func compareWritesAPictureOnce() throws {
            try place.putWaves(as: "before.png", width: 96, height: 64)
            try place.putWaves(as: "after.png", width: 96, height: 64, noise: 2)
            try FileManager.default.createSymbolicLink(
                atPath: place["link.png"].path, withDestinationPath: "before.png")
            let arguments = ["compare", "link.png", "after.png", "--out", "both.png", "--side", "32", "--zoom", "2"]
            #expect(try place.run.start(arguments).finish().code == 0)
            let picture = try place.decoded("both.png")
            #expect((picture.width, picture.height) == (2 * 64 + 8, 64))
            let again = try place.run.start(arguments).finish()
            #expect(again.code == 1)
            #expect(again.errors.contains("a file of that name exists"))
        }

        @Test func benchShowsWhereTheTimeGoes() throws {
            let outcome = try place.run(
                "bench", "--network", "nafnet-compact", "--size", "40", "--repeats", "1", "--profile", "--train")
            #expect(outcome.code == 0)
            #expect(outcome.lines.joined().contains("pointwise backward"))
            #expect(outcome.lines.joined().contains("% of sgemm"))
        }

        @Test func benchMeasuresAPass() throws {
            let outcome = try place.run(
                "bench", "--network", "nafnet-compact", "--size", "32", "--repeats", "1", "--json")
            #expect(outcome.code == 0)
            let result = try #require(try outcome.objects().first)
            #expect(
                Set(result.keys) == [
                    "network", "size", "threads", "seconds", "gflops", "sgemm_share", "peak_mib", "operations",
                ])
            #expect((result["operations"] as? [Any])?.isEmpty == true)
            #expect(result["network"] as? String == "nafnet-compact")
            #expect(result["size"] as? Int == 32)
            for key in ["seconds", "gflops", "sgemm_share", "peak_mib"] {
                #expect(try #require(result[key] as? Double) > 0, "\(key)")
            }
        }

        @Test(arguments: [["--size", "8"], ["--network", "nothing"], ["--threads", "0"]])
        func wrongUseOfBenchIsTwo(_ arguments: [String]) throws {
            #expect(try place.run.start(["bench"] + arguments).finish().code == 2)
        }
    }
}
