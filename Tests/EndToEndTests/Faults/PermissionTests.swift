import Foundation
import Testing

extension EndToEnd {
    /// A service that may not do what it must, until somebody lets it. Root may do everything, so another user runs it.
    @Suite struct PermissionTests {
        private static let nobody: UInt32 = 65534
        private static let setpriv = "/usr/bin/setpriv"

        private let place: Workplace

        /// Everything belongs to the user that runs the service.
        init() throws {
            place = try Workplace()
            for folder in ["in/shut", "out", "state"] { try place.folder(folder) }
            for (number, name) in ["bad.png", "good.png", "shut/deep.png"].enumerated() {
                try place.putWaves(as: "in/\(name)", width: 64, height: 64, noise: 7 + number)
            }
            // Where only root may look, nobody else can run the program.
            try FileManager.default.copyItem(at: try #require(Program.executable), to: place["denoised"])
            guard geteuid() == 0 else { return }
            for name in try place.names(".") { chown(place[name].path, Self.nobody, Self.nobody) }
            chown(place.root.path, Self.nobody, Self.nobody)
        }

        private func start(_ arguments: [String]) throws -> Run {
            if geteuid() != 0 { return try Run(place["denoised"], arguments, in: place.root, environment: [:]) }
            let user = ["--reuid=\(Self.nobody)", "--regid=\(Self.nobody)", "--clear-groups"]
            return try Run(
                URL(filePath: Self.setpriv), user + [place["denoised"].path] + arguments, in: place.root,
                environment: [:])
        }

        private func service(_ options: [String] = []) throws -> Run {
            let settings = [
                "watch.stability_delay=0s", "watch.rescan_interval=1s", "watch.recursive=true",
                "limits.min_free_space=0", "limits.retry_backoff=1s",
            ]
            return try start(
                ["run", "--inbox", "in", "--output", "out", "--state", "state", "--model", place.model]
                    + ["--preset", "balanced"] + settings.flatMap { ["--set", $0] } + options)
        }

        private func move(_ name: String, to other: String) throws {
            try FileManager.default.moveItem(at: place[name], to: place[other])
        }

        private func allow(_ mode: mode_t, _ name: String) { chmod(place[name].path, mode) }

        private func states() throws -> [String: String] {
            let rows = try place.run("history", "--json", "--state", "state").objects()
            return Dictionary(
                rows.compactMap { row in
                    (row["source"] as? String).map {
                        (URL(filePath: $0).lastPathComponent, row["status"] as? String ?? "")
                    }
                }
            ) { latest, _ in latest }
        }

        private func outputs() throws -> [String] {
            try place.names("out").filter { !$0.hasPrefix(".") && $0.hasSuffix(".png") }
        }

        @Test func whatCannotBeReadIsNamedOnceAndTakenWhenItCan() throws {
            allow(0o000, "in/bad.png")
            allow(0o000, "in/shut")
            let run = try service()
            #expect(try run.wait(30) { try outputs() == ["good-denoised.png"] && states()["bad.png"] == "failed" })
            allow(0o644, "in/bad.png")
            allow(0o755, "in/shut")
            let all = ["bad-denoised.png", "good-denoised.png", "shut/deep-denoised.png"]
            #expect(try run.wait(30) { try outputs() == all })
            run.terminate()
            let outcome = try run.finish()
            #expect(outcome.code == 0)
            #expect(try states() == ["bad.png": "done", "good.png": "done", "deep.png": "done"])
            let lines = outcome.errorLines.filter { $0.contains("Permission denied") }
            #expect(lines.filter { $0.contains("in/shut:") && $0.contains("may use it") }.count == 1, "\(lines)")
            #expect(lines.contains { $0.contains("in/bad.png:") && $0.contains("may use it") }, "\(lines)")
        }

        /// From the start, or after something was written into it.
        @Test(arguments: [true, false]) func anOutputFolderWithoutRightsIsWaitedForWithoutBlame(isNew: Bool) throws {
            let away = ["bad.png", "good.png", "shut"]
            if !isNew { for name in away { try move("in/\(name)", to: name) } }
            if isNew { allow(0o555, "out") }
            let run = try service()
            if !isNew {
                try place.putWaves(as: "in/first.png", width: 64, height: 64, noise: 20)
                #expect(try run.wait(30) { try outputs() == ["first-denoised.png"] })
                allow(0o555, "out")
                for name in away { try move(name, to: "in/\(name)") }
            }
            #expect(
                try run.wait(30) {
                    try place.run("status", "--state", "state").output.contains("waiting for the output folder")
                })
            // Long enough for more attempts than a photograph has.
            #expect(try !run.wait(4) { try states().values.contains("quarantined") })
            allow(0o755, "out")
            #expect(try run.wait(30) { try outputs().count == (isNew ? 3 : 4) })
            run.terminate()
            let outcome = try run.finish()
            #expect(outcome.code == 0)
            let line = try #require(outcome.errorLines.first { $0.contains("photograph postponed") })
            #expect(
                line.contains(place["out"].path) && line.contains("Permission denied") && line.contains("may use it"))
            #expect(try states().values.allSatisfy { $0 == "done" })
        }

        @Test func aDrainWithoutRightsEndsInOneLine() throws {
            allow(0o555, "out")
            let outcome = try service(["--oneshot"]).finish()
            #expect(outcome.code == 1)
            let line = try #require(outcome.errorLines.last)
            #expect(
                line.contains(place["out"].path) && line.contains("Permission denied") && line.contains("may use it"))
            #expect(try states().values.allSatisfy { $0 == "queued" })
        }

        @Test(arguments: [0o555, 0o000] as [mode_t]) func aStateFolderWithoutRightsEndsInOneLine(mode: mode_t) throws {
            allow(mode, "state")
            for run in [try service(["--oneshot"]), try start(["history", "--state", "state"])] {
                let outcome = try run.finish()
                #expect(outcome.code != 0)
                #expect(outcome.errorLines.count == 1, "\(outcome.errors)")
                #expect(outcome.errors.contains(place["state"].path), "\(outcome.errors)")
            }
            allow(0o700, "state")
            #expect(try service(["--oneshot"]).finish().code == 0)
            #expect(try outputs().count == 3)
        }

        @Test func aCommandNamesWhatItMayNotReadOrWrite() throws {
            allow(0o000, "in/bad.png")
            let reading = try start(["process", "in", "--output", "out", "--model", place.model]).finish()
            #expect(reading.code == 3)
            #expect(
                reading.errorLines.filter { $0.contains("in/bad.png") && $0.contains("Permission denied") }.count == 1)
            allow(0o555, "out")
            let writing = try start(["process", "in/good.png", "--output", "out", "--model", place.model]).finish()
            #expect(writing.code != 0)
            #expect(writing.errorLines.count == 1, "\(writing.errors)")
            #expect(writing.errors.contains("Permission denied") && writing.errors.contains("writable"))
        }
    }
}
