import Foundation
import Testing

extension EndToEnd {
    /// More files than the kernel's queue of events holds, while nobody reads it.
    @Suite(.timeLimit(.minutes(Soak.isOn ? 60 : 5)), .enabled(if: Soak.isOn)) struct OverflowTests {
        private let place: Workplace
        private let count = 20_000

        init() throws {
            place = try Workplace()
            for folder in ["in", "made"] { try place.folder(folder) }
        }

        private func waiting() throws -> Int {
            let status = try place.run("status", "--json", "--state", "state").objects().first
            return status?["waiting"] as? Int ?? 0
        }

        @Test func everyFileIsQueuedOnceAfterAnOverflow() throws {
            try place.putWaves(as: "made/0.png", width: 32, height: 32)
            // Names of one file: what counts is that each is seen.
            for number in 1..<count {
                try FileManager.default.linkItem(at: place["made/0.png"], to: place["made/\(number).png"])
            }
            let run = try place.run.start([
                "run", "--inbox", "in", "--output", "out", "--state", "state", "--model", place.model, "--set",
                "watch.stability_delay=0s", "--set", "limits.min_free_space=0",
            ])
            #expect(try run.wait(30) { try place.run("status", "--state", "state").output.contains("daemon running") })
            #expect(try place.run("pause", "--state", "state").code == 0)
            run.signal(SIGSTOP)
            for number in 0..<count {
                try FileManager.default.moveItem(at: place["made/\(number).png"], to: place["in/\(number).png"])
            }
            let begin = ContinuousClock.now
            run.signal(SIGCONT)
            #expect(try run.wait(600) { try waiting() == count })
            let time = (ContinuousClock.now - begin) / .milliseconds(1)
            print("\(count) files queued in \(Int(time)) ms, \(time / Double(count)) ms each")
            run.terminate()
            let outcome = try run.finish()
            #expect(outcome.code == 0)
            #expect(outcome.errors.contains("events were lost"))
            let rows = try place.run("history", "--json", "--limit", "100000", "--state", "state").objects()
            #expect(Set(rows.compactMap { $0["source"] as? String }).count == count)
            #expect(rows.count == count && rows.allSatisfy { $0["status"] as? String == "queued" })
        }
    }
}
