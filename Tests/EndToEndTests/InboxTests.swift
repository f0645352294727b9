import Foundation
import Testing

extension EndToEnd {
    /// An inbox through `run --oneshot`, and what the ledger then answers.
    @Suite struct InboxTests {
        private static let historyKeys: Set = [
            "id", "status", "source", "output", "reason", "attempts", "model", "preset", "noise_before", "noise_after",
            "seconds", "megapixels", "camera", "iso", "finished_at",
        ]
        /// The name is not ASCII, as names of photographs often are not.
        private static let raw = "RAW_KODAK_DC50_é.KDC"

        private let place: Workplace

        init() throws {
            place = try Workplace()
            try place.put("pngsuite/basn2c08.png", as: "in/a.png")
            try place.put("made/rgb.jpg", as: "in/b.jpg")
            try place.put("made/rgb16-little.tif", as: "in/c.tif")
            try place.put("camera/kodak-dc50.kdc", as: "in/\(Self.raw)")
            try place.putBrokenTIFF(as: "in/broken.tif")
        }

        private func drain() throws -> Program.Outcome {
            try place.run(
                "run", "--oneshot", "--inbox", "in", "--output", "out", "--state", "state", "--model", place.model,
                "--preset", "balanced", "--method", "plain", "--set", "watch.stability_delay=0s", "--set",
                "limits.min_free_space=0")
        }

        private func history() throws -> [String: [String: Any]] {
            let rows = try place.run("history", "--json", "--state", "state").objects()
            return Dictionary(
                uniqueKeysWithValues: try rows.map { row in
                    (URL(filePath: try #require(row["source"] as? String)).lastPathComponent, row)
                })
        }

        @Test func everyPhotographComesOutAndEveryFileIsInTheLedger() throws {
            let originals = try place.contents("in")
            #expect(try drain().code == 3)
            #expect(
                try place.names("out") == [
                    "RAW_KODAK_DC50_é-denoised.tif", "a-denoised.png", "b-denoised.jpg", "c-denoised.tif",
                ])
            #expect(try place.contents("in") == originals)
            let rows = try history()
            #expect(
                rows.mapValues { $0["status"] as? String } == [
                    "a.png": "done", "b.jpg": "done", "c.tif": "done", Self.raw: "done", "broken.tif": "failed",
                ])
        }

        @Test func historyHasEveryKeyAndNullForWhatIsNotKnown() throws {
            _ = try drain()
            let rows = try history()
            for row in rows.values { #expect(Set(row.keys) == Self.historyKeys) }
            let raw = try #require(rows[Self.raw])
            #expect(raw["camera"] as? String == "Kodak DC50")
            #expect(raw["iso"] as? Double == 84)
            #expect(raw["megapixels"] as? Double == 0.393216)
            #expect(raw["reason"] is NSNull)
            let broken = try #require(rows["broken.tif"])
            for key in ["output", "camera", "iso", "noise_before", "noise_after", "seconds", "megapixels"] {
                #expect(broken[key] is NSNull, "\(key)")
            }
            #expect((broken["reason"] as? String)?.contains("broken.tif") == true)
        }

        @Test func theLedgerAnswersPeople() throws {
            _ = try drain()
            let id = "\(try #require(history()[Self.raw]?["id"] as? Int))"
            let show = try place.run("show", id, "--state", "state")
            #expect(show.code == 0)
            for fact in ["Kodak DC50", "1/230 s", "768 × 512", "done"] {
                #expect(show.output.contains(fact), "\(fact)")
            }
            let explain = try place.run("explain", "in/broken.tif", "--state", "state", "--inbox", "in")
            #expect(explain.code == 0)
            #expect(explain.output.contains("failed") && explain.lines.count == 1)
            let table = try place.run("history", "--state", "state")
            #expect(table.lines.count == 6)
            let status = try #require(try place.run("status", "--json", "--state", "state").objects().first)
            #expect(status["running"] as? Bool == false)
            #expect((status["counts"] as? [String: Int])?["done"] == 4)
            #expect(try place.run("status", "--state", "state").lines.first == "no daemon is running")
            #expect(try place.run("stats", "--state", "state").output.contains("4 done, 1 failed"))
        }

        @Test func aSecondRunFindsNothingToDo() throws {
            _ = try drain()
            let outputs = try place.contents("out")
            #expect(try drain().code == 0)
            #expect(try place.contents("out") == outputs)
            #expect(try history().count == 5)
        }

        @Test func failuresAreTriedAgainWhenAsked() throws {
            _ = try drain()
            #expect(try place.run("retry", "--failed", "--state", "state").output == "1 queued\n")
            #expect(try drain().code == 3)
            let broken = try #require(try history()["broken.tif"])
            #expect(broken["attempts"] as? Int == 2)
            #expect(try place.run("retry", "999", "--state", "state").code == 1)
        }

        /// é as one scalar and as e with an accent: text that Unicode calls equal, and two files.
        @Test func bothSpellingsOfANameAreTwoPhotographs() throws {
            try FileManager.default.removeItem(at: place["in"])
            try place.put("made/rgb.jpg", as: "in/\u{E9}.jpg")
            try place.put("made/grey.jpg", as: "in/e\u{301}.jpg")
            #expect(try drain().code == 0)
            let names = try folderNames(place["out"].path)
            #expect(Set(names) == [Array("\u{E9}-denoised.jpg".utf8), Array("e\u{301}-denoised.jpg".utf8)])
            let rows = try place.run("history", "--json", "--state", "state").objects()
            #expect(rows.map { $0["status"] as? String } == ["done", "done"])
        }

        @Test func linksInAnInboxAreNotFollowed() throws {
            try FileManager.default.moveItem(at: place["in"], to: place["elsewhere"])
            try place.folder("in")
            try FileManager.default.createSymbolicLink(
                at: place["in/link.jpg"], withDestinationURL: place["elsewhere/b.jpg"])
            #expect(try drain().code == 0)
            #expect(try place.names("out").isEmpty)
        }

        @Test func anInboxThatDoesNotExistIsAFailure() throws {
            try FileManager.default.removeItem(at: place["in"])
            let outcome = try drain()
            #expect(outcome.code == 3)
            #expect(outcome.errors.contains("\(place["in"].path): cannot read the inbox"))
        }

        @Test func aStateFolderWithoutLedgerIsMissing() throws {
            let outcome = try place.run("history", "--state", "nowhere")
            #expect(outcome.code == 10)
            #expect(outcome.errorLines.count == 1)
        }
    }
}
