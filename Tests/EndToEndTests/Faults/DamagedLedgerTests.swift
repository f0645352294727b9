import Foundation
import Testing

extension EndToEnd {
    /// A ledger in which one byte is wrong, and of which there is no backup.
    @Suite(.timeLimit(.minutes(Soak.isOn ? 240 : 5))) struct DamagedLedgerTests {
        /// What a wrong byte led to.
        private enum End: String { case unhurt, rescued, refused }

        @Test func whicheverByteIsWrongNoPhotographIsLostAndEveryQuestionHasItsAnswer() throws {
            let life = try FaultPlace(6)
            let peace = try life.peace()
            let place = life.place
            try FileManager.default.moveItem(at: place["state"], to: place["whole"])
            let ledger = try place.bytes("whole/ledger.sqlite")
            // Zeros are mostly room that nothing uses yet.
            let used = ledger.indices.filter { ledger[$0] != 0 }
            var random = Sequence(seed: Soak.seed(3))
            var ends: [End: Int] = [:]
            for _ in 0..<Soak.count(8, soaking: 400) {
                var damaged = ledger
                let offset = used[random.below(used.count)]
                damaged[offset] ^= random.below(2) == 0 ? 0xFF : 1 << UInt8(random.below(8))
                try? FileManager.default.removeItem(at: place["state"])
                try FileManager.default.copyItem(at: place["whole"], to: place["state"])
                try damaged.write(to: place["state/ledger.sqlite"])
                let what = "byte \(offset) changed from \(ledger[offset]) to \(damaged[offset])"
                ends[try expectNoLoss(life, peace, what), default: 0] += 1
            }
            print("wrong bytes:", ends.map { "\($0.value) \($0.key.rawValue)" }.joined(separator: ", "))
        }

        private func expectNoLoss(_ life: FaultPlace, _ peace: FaultPlace.Peace, _ what: String) throws -> End {
            let place = life.place
            let outcome = try life.drain()
            #expect(try place.contents("in") == life.originals, "originals, \(what)")
            #expect(try place.contents("out") == peace.outputs, "outputs, \(what)")
            // The number of the version itself: it may be a ledger of a later program.
            if outcome.code == 10, outcome.errors.contains("install the newer denoised") { return .refused }
            #expect(outcome.code == 0, "\(what): \(outcome.errors)")
            let state = try place.names("state")
            // A ledger that was rescued is checked at the next start.
            #expect(
                Set(state.filter { !$0.hasPrefix("ledger.corrupt-") } + ["ledger.checked"]) == Set(peace.state),
                "state folder, \(what)")
            let rows = try life.history()
            #expect(rows.count == life.originals.count, "rows, \(what)")
            #expect(rows.allSatisfy { $0["status"] as? String == "done" }, "states, \(what)")
            for question in [["stats"], ["show", "\(rows.first?["id"] as? Int ?? 0)"], ["explain", "in/1.png"]] {
                let answer = try place.run.start(question + ["--state", "state"]).finish()
                #expect(answer.code == 0, "\(question), \(what): \(answer.errors)")
            }
            return state.contains { $0.hasPrefix("ledger.corrupt-") } ? .rescued : .unhurt
        }
    }
}
