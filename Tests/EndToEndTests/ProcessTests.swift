import Foundation
import Imaging
import Testing

extension EndToEnd {
    /// `denoised process`: files and folders without a daemon.
    @Suite struct ProcessTests {
        private let place: Workplace

        init() throws {
            place = try Workplace()
            try place.put("pngsuite/basn2c08.png", as: "in/a.png")
            try place.put("made/rgb.jpg", as: "in/b.jpg")
            try place.put("made/rgb16-little.tif", as: "c.tif")
            try place.putBrokenTIFF(as: "broken.tif")
        }

        /// One plain pass of the tiny model, unless `options` say otherwise.
        private func process(_ arguments: String...) throws -> Program.Outcome {
            try place.run.start(["process", "--model", place.model, "--method", "plain"] + arguments).finish()
        }

        @Test func filesAndFoldersMayBeMixed() throws {
            let outcome = try process("in", "c.tif", "--output", "out")
            #expect(outcome.code == 0)
            #expect(outcome.lines.count == 3)
            #expect(outcome.errors.isEmpty)
            #expect(try place.names("out") == ["a-denoised.png", "b-denoised.jpg", "c-denoised.tif"])
        }

        @Test func jsonHasOneObjectForEachInput() throws {
            let lines = try process("in", "broken.tif", "--output", "out", "--json").objects()
            #expect(lines.count == 3)
            for line in lines { #expect(Set(line.keys) == ["file", "output", "status", "seconds", "model", "reason"]) }
            #expect(lines.map { $0["status"] as? String } == ["done", "done", "failed"])
            #expect(lines[0]["file"] as? String == "in/a.png")
            #expect(lines[0]["output"] as? String == "out/a-denoised.png")
            #expect(lines[2]["output"] is NSNull && lines[2]["seconds"] is NSNull)
        }

        /// All two thousand steps, on 32×32 pixels.
        @Test func aPhotographMayLearnFromItself() throws {
            let outcome = try place.run("process", "in/a.png", "--output", "out", "--method", "zsn2n")
            #expect(outcome.code == 0)
            #expect(try place.names("out") == ["a-denoised.png"])
            #expect(try place.run("process", "in/a.png", "--output", "out", "--method", "dbsn").code == 1)
        }

        @Test func someFailuresAreThree() throws {
            let outcome = try process("in", "broken.tif", "--output", "out")
            #expect(outcome.code == 3)
            #expect(outcome.lines.count == 2)
            #expect(outcome.errorLines.count == 1)
        }

        @Test(arguments: ["broken.tif", "missing.jpg"])
        func aSingleFailureIsOneInOneLine(_ file: String) throws {
            let outcome = try process(file, "--output", "out")
            #expect(outcome.code == 1)
            #expect(outcome.output.isEmpty)
            #expect(outcome.errorLines.count == 1)
            #expect(outcome.errors.hasPrefix("denoised: cannot ") && outcome.errors.contains(file))
            #expect(try place.names("out").isEmpty)
        }

        @Test func anOutputFolderThatCannotBeMadeIsSaidInOneLine() throws {
            let outcome = try process("c.tif", "--output", "c.tif/out")
            #expect(outcome.code == 1)
            #expect(outcome.errorLines.count == 1)
            #expect(outcome.errors.contains("c.tif/out") && !outcome.errors.contains("NSCocoa"))
        }

        @Test(arguments: [
            [], ["c.tif"], ["c.tif", "--output", "out", "--bit-depth", "12"],
            ["c.tif", "--output", "out", "--strength", "2"], ["c.tif", "--output", "out", "--preset", "better"],
            ["c.tif", "--output", "out", "--name", "fixed"], ["c.tif", "--output", "out", "--tile", "8"],
        ])
        func wrongUseIsTwo(_ arguments: [String]) throws {
            let outcome = try place.run.start(["process"] + arguments).finish()
            #expect(outcome.code == 2)
            #expect(outcome.output.isEmpty)
            #expect(try place.names(".").contains("out") == false)
        }

        @Test func formatDepthAndNameAreAsAsked() throws {
            let outcome = try process(
                "in/b.jpg", "--output", "out", "--format", "tiff", "--bit-depth", "16", "--name", "clean {stem} x")
            #expect(outcome.code == 0)
            #expect(try place.names("out") == ["clean b x.tif"])
            #expect(try place.decoded("out/clean b x.tif").bitDepth == 16)
            _ = try process("c.tif", "--output", "out", "--format", "png", "--bit-depth", "8")
            #expect(try place.decoded("out/c-denoised.png").bitDepth == 8)
        }

        @Test func outputsAreNeverReplaced() throws {
            try place.folder("out")
            try Data("precious".utf8).write(to: place["out/b-denoised.jpg"])
            #expect(try process("in/b.jpg", "--output", "out").code == 0)
            #expect(try process("in/b.jpg", "--output", "out").code == 0)
            #expect(try place.bytes("out/b-denoised.jpg") == Data("precious".utf8))
            #expect(try place.names("out") == ["b-denoised-2.jpg", "b-denoised-3.jpg", "b-denoised.jpg"])
            #expect(try place.bytes("out/b-denoised-2.jpg") == place.bytes("out/b-denoised-3.jpg"))
        }

        @Test func aNamedLinkStandsForItsFile() throws {
            try FileManager.default.createSymbolicLink(
                atPath: place["holiday.jpg"].path, withDestinationPath: "in/b.jpg")
            #expect(try process("holiday.jpg", "in/b.jpg", "--output", "out").code == 0)
            #expect(try place.names("out") == ["b-denoised.jpg", "holiday-denoised.jpg"])
            #expect(try place.bytes("out/b-denoised.jpg") == place.bytes("out/holiday-denoised.jpg"))
            try FileManager.default.createSymbolicLink(
                atPath: place["dangling.jpg"].path, withDestinationPath: "nothing")
            #expect(try process("dangling.jpg", "--output", "out").code == 1)
        }

        /// A name in Latin-1: bytes that are no UTF-8 reach the output as they are.
        @Test func namesInAFolderAreBytes() throws {
            try place.folder("latin")
            let name = Array("caf".utf8) + [0xE9] + Array(".jpg".utf8)
            try rename(place["in/b.jpg"].path, into: place["latin"].path, name)
            #expect(try process("latin", "--output", "out").code == 0)
            #expect(try folderNames(place["out"].path) == [Array("caf".utf8) + [0xE9] + Array("-denoised.jpg".utf8)])
        }

        @Test func threadsDoNotChangeABit() throws {
            try place.putWaves(as: "waves.png")
            for threads in ["1", "2"] {
                let outcome = try place.run(
                    "process", "waves.png", "--output", threads, "--model", place.model, "--refinements", "2", "--tile",
                    "160", "--threads", threads)
                #expect(outcome.code == 0)
            }
            #expect(try place.bytes("1/waves-denoised.png") == place.bytes("2/waves-denoised.png"))
            #expect(try place.decoded("1/waves-denoised.png") != place.decoded("waves.png"))
        }

        /// "A tiled result differs from the untiled one by less than 1/255 RMS" (product page, Images).
        @Test func tilesCannotBeSeen() throws {
            try place.putWaves(as: "waves.png")
            for tile in ["160", "512"] {
                let outcome = try place.run(
                    "process", "waves.png", "--output", tile, "--model", place.model, "--preset", "balanced", "--tile",
                    tile, "--format", "tiff", "--bit-depth", "16")
                #expect(outcome.code == 0)
            }
            let (small, large) = (
                try place.decoded("160/waves-denoised.tif").planar().samples,
                try place.decoded("512/waves-denoised.tif").planar().samples
            )
            let sum = zip(small, large).reduce(0.0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
            #expect((sum / Double(small.count)).squareRoot() < 1.0 / 255)
        }
    }
}
