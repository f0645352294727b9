import Foundation
import Testing

extension EndToEnd {
    /// A service that is told to stop by someone without patience.
    @Suite struct SecondSignalTests {
        @Test(arguments: [SIGTERM, SIGINT]) func itEndsAtOnceAndLosesNothing(signal: Int32) throws {
            let place = try Workplace()
            try place.folder("in")
            try place.putWaves(as: "in/a.png", width: 2400, height: 1600)
            let run = try place.run.start([
                "run", "--inbox", "in", "--output", "out", "--state", "state", "--model", place.model,
                "--refinements", "64", "--threads", "1", "--set", "watch.stability_delay=0s", "--set",
                "limits.min_free_space=0",
            ])
            func state() throws -> String? {
                try place.run("history", "--json", "--state", "state").objects().first?["status"] as? String
            }
            #expect(try run.wait(40) { try state() == "running" })
            run.signal(signal)
            // The first is waited for ten seconds, which the second cuts short.
            #expect(try !run.wait(1) { false } && run.isRunning)
            let begin = ContinuousClock.now
            run.signal(signal)
            #expect(try run.finish().code == 130)
            #expect(ContinuousClock.now - begin < .seconds(5))
            #expect(try place.names("out").allSatisfy { $0.hasPrefix(".") })
            // The next start puts it back into the queue, and is stopped before it is done.
            #expect(try state() == "running")
            let again = try place.run.start([
                "run", "--oneshot", "--inbox", "in", "--output", "out", "--state", "state", "--model", place.model,
                "--preset", "balanced", "--method", "plain", "--set", "watch.stability_delay=0s", "--set",
                "limits.min_free_space=0",
            ])
            #expect(try again.finish().code == 0)
            #expect(try state() == "done")
            #expect(try place.names("out") == ["a-denoised.png"])
        }
    }

    /// A photograph that takes long, in a service that is told to stop. Minutes, so only in `make soak`.
    @Suite(.timeLimit(.minutes(60)), .enabled(if: Soak.isOn)) struct StopTests {
        private let place: Workplace

        init() throws {
            place = try Workplace()
            try place.folder("in")
            try place.putWaves(as: "in/large.png", width: 4000, height: 3000)
        }

        private func start(_ state: String) throws -> Run {
            try place.run.start([
                "run", "--oneshot", "--inbox", "in", "--output", "out-\(state)", "--state", state, "--model",
                place.model,
                "--refinements", "32", "--threads", "1", "--tile", "256", "--set", "watch.stability_delay=0s",
            ])
        }

        /// Ends a run by `end` after so many seconds.
        private func interrupt(after seconds: Int, _ end: (Run) -> Void) throws -> Program.Outcome {
            let run = try start("state")
            let moment = ContinuousClock.now + .seconds(seconds)
            while ContinuousClock.now < moment, run.isRunning { usleep(100_000) }
            let begin = ContinuousClock.now
            end(run)
            let outcome = try run.finish()
            #expect(ContinuousClock.now - begin < .seconds(30))
            return outcome
        }

        @Test func itStopsSoonAndGoesOnToTheSameBytes() throws {
            #expect(try start("whole").finish(within: .seconds(3600)).code == 0)
            let stopped = try interrupt(after: 30) { $0.terminate() }
            #expect(stopped.code == 130, "a drain that was interrupted says so: \(stopped.errors)")
            #expect(try place.names("state/checkpoints").count == 1)
            #expect(try interrupt(after: 30) { $0.kill() }.code == -9)
            #expect(try start("state").finish(within: .seconds(3600)).code == 0)
            #expect(try place.contents("out-state") == place.contents("out-whole"))
            #expect(try place.names("state/checkpoints").isEmpty)
        }
    }
}
