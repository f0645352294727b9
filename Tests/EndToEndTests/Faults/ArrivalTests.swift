import Foundation
import Testing

extension EndToEnd {
    /// Photographs that arrive as phones, shares and synchronising programs let them arrive, at a daemon that lives.
    @Suite(.timeLimit(.minutes(Soak.isOn ? 240 : 5))) struct ArrivalTests {
        private let place: Workplace

        init() throws {
            place = try Workplace()
            for folder in ["in", "made"] { try place.folder(folder) }
        }

        private func daemon() throws -> Run {
            try place.run.start([
                "run", "--inbox", "in", "--output", "out", "--state", "state", "--model", place.model, "--preset",
                "balanced", "--method", "plain", "--set", "watch.stability_delay=400ms", "--set",
                "limits.min_free_space=0",
            ])
        }

        private func outputs() -> [String] { (try? place.names("out"))?.filter { !$0.hasPrefix(".") } ?? [] }

        private func make(_ name: String, _ noise: Int) throws -> Data {
            try place.putWaves(as: "made/\(name)", width: 96, height: 64, noise: noise)
            return try place.bytes("made/\(name)")
        }

        @Test func aSlowWriterAndAHalfCopyComeOutOnceAndWhole() throws {
            let (slow, half) = (try make("slow.png", 5), try make("half.png", 6))
            let run = try daemon()
            try half.prefix(half.count / 2).write(to: place["in/half.png"])
            try Data().write(to: place["in/slow.png"])
            let file = try FileHandle(forWritingTo: place["in/slow.png"])
            for start in stride(from: 0, to: slow.count, by: slow.count / 12 + 1) {
                try file.write(contentsOf: slow[start..<min(slow.count, start + slow.count / 12 + 1)])
                usleep(150_000)
            }
            try file.close()
            #expect(outputs().isEmpty)
            // The half was long enough alone to be taken for a whole.
            let rest = try FileHandle(forWritingTo: place["in/half.png"])
            try rest.seekToEnd()
            try rest.write(contentsOf: half[(half.count / 2)...])
            try rest.close()
            #expect(try run.wait(60) { outputs() == ["half-denoised.png", "slow-denoised.png"] })
            run.terminate()
            #expect(try run.finish().code == 0)
            #expect(try place.contents("in") == ["half.png": half, "slow.png": slow])
            #expect(try place.names("out") == ["half-denoised.png", "slow-denoised.png"])
            let rows = try place.run("history", "--json", "--state", "state").objects()
            let done = rows.filter { $0["status"] as? String == "done" }
            #expect(done.count == 2)
            // A file that never stood still was never tried.
            #expect(done.first { ($0["source"] as? String)?.hasSuffix("slow.png") == true }?["attempts"] as? Int == 1)
        }

        @Test func temporaryNamesWaitForTheirFinalOnes() throws {
            let conventions = [
                ".syncthing.N.tmp", "~syncthing~N.tmp", ".N.Xk3d9a", ".in.N.", "N.part", "N.filepart", "N.tmp",
                "N.crdownload", "._N", "N.partial", ".N.icloud",
            ]
            let run = try daemon()
            var temporaries: [(from: URL, to: URL)] = []
            for (number, convention) in conventions.enumerated() {
                let name = "p\(number).png"
                let temporary = place["in/\(convention.replacing("N", with: name))"]
                try make(name, 4 + number).write(to: temporary)
                temporaries.append((temporary, place["in/\(name)"]))
            }
            // A photograph that came later is done: the others had their time.
            try make("last.png", 40).write(to: place["in/last.png"])
            #expect(try run.wait(60) { outputs() == ["last-denoised.png"] })
            for (from, to) in temporaries { try FileManager.default.moveItem(at: from, to: to) }
            #expect(try run.wait(100) { outputs().count == conventions.count + 1 })
            run.terminate()
            #expect(try run.finish().code == 0)
            #expect(try place.run("history", "--json", "--state", "state").lines.count == conventions.count + 1)
        }

        @Test func manyAtOnceAllComeOut() throws {
            let count = Soak.count(60, soaking: 10_000)
            for number in 0..<count {
                try place.putWaves(
                    as: "made/\(number).png", width: 16 + number % 100, height: 16 + number / 100, noise: 8)
            }
            let run = try daemon()
            for number in 0..<count {
                try FileManager.default.moveItem(at: place["made/\(number).png"], to: place["in/\(number).png"])
            }
            #expect(try run.wait(Soak.count(120, soaking: 14_000)) { outputs().count == count })
            run.terminate()
            #expect(try run.finish().code == 0)
            let rows = try place.run("history", "--json", "--limit", "100000", "--state", "state").objects()
            #expect(rows.count == count)
            #expect(rows.allSatisfy { $0["status"] as? String == "done" && $0["attempts"] as? Int == 1 })
        }
    }
}
