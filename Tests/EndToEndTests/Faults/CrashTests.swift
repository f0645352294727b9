import Foundation
import Testing

extension EndToEnd {
    /// A service that is killed, or whose disk fails, at any moment of two photographs' lives.
    @Suite(.timeLimit(.minutes(Soak.isOn ? 240 : 5))) struct CrashTests {
        private func everyPoint(
            _ few: Int, of points: [FaultPoint], _ body: (FaultPoint, FaultPlace, FaultPlace.Peace) throws -> Void
        ) throws {
            let peace = try FaultPlace().peace()
            let part = Soak.part(of: points, few)
            for point in part { try body(point, try FaultPlace(), peace) }
            print("\(part.count) of \(points.count) points")
        }

        @Test(.enabled(if: Strace.isThere, Strace.missing))
        func killedBeforeAnyWriteItLosesNothing() throws {
            let points = try FaultPlace().writes()
            #expect(points.count > 50)
            try everyPoint(24, of: points) { point, life, peace in
                try life.drain(injecting: "\(point.call):signal=SIGKILL:when=\(point.number)")
                try life.recover()
                try life.expectPeace(peace, after: "kill at \(point)")
            }
        }

        @Test(.enabled(if: Strace.isThere, Strace.missing), arguments: ["ENOSPC", "EIO"])
        func aWriteThatFailsLosesNothing(_ error: String) throws {
            try everyPoint(12, of: try FaultPlace().writes()) { try expectNoLoss(error, at: $0, in: $1, $2) }
        }

        /// As a share reports what it could not write after all.
        @Test(.enabled(if: Strace.isThere, Strace.missing), arguments: ["EIO", "ENOSPC", "EDQUOT"])
        func aFileThatCannotBeClosedLosesNothing(_ error: String) throws {
            let points = try FaultPlace().closes()
            #expect(points.count > 10)
            try everyPoint(6, of: points) { try expectNoLoss(error, at: $0, in: $1, $2) }
        }

        private func expectNoLoss(
            _ error: String, at point: FaultPoint, in life: FaultPlace, _ peace: FaultPlace.Peace
        ) throws {
            if let outcome = try life.drain(failing: "\(point.call):error=\(error):when=\(point.number)") {
                #expect(outcome.code >= 0, "\(error) at \(point) ended it by a signal: \(outcome.errors)")
            }
            #expect(try life.place.contents("in") == life.originals)
            try life.recover()
            try life.expectPeace(peace, after: "\(error) at \(point)")
        }

        @Test func killedAtRandomTimesItLosesNothing() throws {
            let peace = try FaultPlace(6).peace()
            var random = Sequence(seed: Soak.seed(11))
            for round in 0..<Soak.count(1, soaking: 40) {
                let life = try FaultPlace(6)
                for _ in 0..<Soak.count(6, soaking: 12) {
                    let run = try life.start()
                    usleep(UInt32(random.below(Soak.isOn ? 1_500_000 : 700_000)))
                    run.kill()
                    _ = try run.finish()
                }
                try life.recover()
                try life.expectPeace(peace, after: "random kills, round \(round)")
            }
        }
    }
}

/// The same numbers every time.
struct Sequence {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state >> 17
    }

    mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }
}
