import Foundation
import Testing

extension EndToEnd {
    /// A disk that is really full: a small file system in memory that the service alone sees.
    @Suite struct FullDiskTests {
        /// Whether this user may mount in a namespace of its own.
        static let isPossible: Bool = {
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/unshare")
            process.arguments = ["-Urm", "/bin/mount", "-t", "tmpfs", "tmpfs", "/mnt"]
            process.standardError = FileHandle.nullDevice
            guard (try? process.run()) != nil else { return false }
            process.waitUntilExit()
            return process.terminationStatus == 0
        }()

        private let place: Workplace

        init() throws {
            place = try Workplace()
            for folder in ["in", "out"] { try place.folder(folder) }
        }

        /// 4 MiB, of which half a MiB is free.
        private func daemon() throws -> Run {
            let script = "mount -t tmpfs -o size=4m tmpfs out && head -c 3670016 /dev/zero > out/filler && exec \"$@\""
            let program = try #require(Program.executable).path
            return try Run(
                URL(filePath: "/usr/bin/unshare"),
                ["-Urm", "/bin/sh", "-c", script, "sh", program, "run"]
                    + ["--inbox", "in", "--output", "out", "--state", "state", "--model", place.model]
                    + ["--preset", "balanced", "--set", "watch.stability_delay=0s"]
                    + ["--set", "limits.min_free_space=0", "--set", "limits.retry_backoff=1s"],
                in: place.root, environment: [:])
        }

        private func status() throws -> [String: Any] {
            try place.run("status", "--json", "--state", "state").objects().first ?? [:]
        }

        @Test(.enabled(if: isPossible, "this user may not mount anything"))
        func photographsWaitForSpaceBeforeTheWorkAndGoOnByThemselves() throws {
            // A MiB of samples.
            try place.putWaves(as: "made.png", width: 640, height: 480)
            let run = try daemon()
            try FileManager.default.moveItem(at: place["made.png"], to: place["in/a.png"])
            #expect(
                try run.wait(60) {
                    (try status()["summary"] as? String)?.contains("waiting for free space") == true
                })
            let out = URL(filePath: "/proc/\(run.id)/root\(place["out"].path)")
            func outputs() throws -> [String] {
                try FileManager.default.contentsOfDirectory(atPath: out.path).filter { !$0.hasPrefix(".") }.sorted()
            }
            #expect(try outputs() == ["filler"])
            try FileManager.default.removeItem(at: out.appending(path: "filler"))
            #expect(try run.wait(60) { try outputs() == ["a-denoised.png"] })
            #expect(
                try run.wait(60) {
                    try place.run("history", "--json", "--status", "done", "--state", "state").lines.count == 1
                })
            run.terminate()
            let outcome = try run.finish()
            #expect(outcome.code == 0)
            #expect(outcome.errors.contains("the output may need 1 MiB"))
            // Nothing was computed in vain.
            let attempts = try place.run("show", "1", "--state", "state").output
            #expect(!attempts.contains("failed"), "\(attempts)")
        }
    }
}
