import Foundation
import Testing

extension EndToEnd {
    /// A daemon that lives.
    @Suite struct DaemonTests {
        private let place: Workplace
        private let manager: FakeServiceManager

        init() throws {
            place = try Workplace()
            try place.folder("in")
            manager = try FakeServiceManager(path: place["notify"].path)
        }

        private func daemon() throws -> Run {
            try place.run.start(
                [
                    "run", "--inbox", "in", "--output", "out", "--state", "state", "--model", place.model, "--preset",
                    "balanced", "--set", "watch.stability_delay=50ms", "--set", "limits.min_free_space=0",
                ], environment: ["NOTIFY_SOCKET": place["notify"].path])
        }

        /// Asks again until the answer is yes; no for a daemon that died, and after half a minute.
        private func wait(for run: Run, until isDone: () throws -> Bool) throws -> Bool {
            let end = ContinuousClock.now + .seconds(30)
            while ContinuousClock.now < end, run.isRunning {
                manager.receive()
                if try isDone() { return true }
                usleep(50_000)
            }
            return false
        }

        @Test func aDroppedPhotographIsDenoisedUntilTheDaemonIsStopped() throws {
            let run = try daemon()
            #expect(try wait(for: run) { manager.messages.contains("READY=1") })
            try place.put("made/rgb.jpg", as: "copy.part")
            try FileManager.default.moveItem(at: place["copy.part"], to: place["in/photo.jpg"])
            #expect(
                try wait(for: run) {
                    try place.run("history", "--json", "--status", "done", "--state", "state").lines.count == 1
                })
            #expect(FileManager.default.fileExists(atPath: place["out/photo-denoised.jpg"].path))
            let status = try place.run("status", "--state", "state")
            #expect(status.lines.first?.hasPrefix("daemon running, process ") == true)

            let second = try place.run(
                "run", "--inbox", "in", "--output", "out", "--state", "state", "--model", place.model)
            #expect(second.code == 11)
            #expect(second.errorLines.count == 1)

            run.terminate()
            let end = try run.finish()
            manager.receive()
            #expect(end.code == 0)
            #expect(manager.messages.contains("STOPPING=1"))
            #expect(try place.names("in") == ["photo.jpg"])
            #expect(try place.names("out") == ["photo-denoised.jpg"])
            #expect(try place.run("status", "--state", "state").lines.first == "no daemon is running")
        }

        @Test func aRunningDaemonTakesCommands() throws {
            let run = try daemon()
            #expect(try wait(for: run) { manager.messages.contains("READY=1") })
            let pause = try #require(
                try place.run("pause", "--for", "1h", "--json", "--state", "state").objects().first)
            #expect(pause["paused"] as? Bool == true)
            #expect(pause["pause_seconds_left"] as? Double ?? 0 > 3500)
            try place.put("made/rgb.jpg", as: "copy.part")
            try FileManager.default.moveItem(at: place["copy.part"], to: place["in/photo.jpg"])
            #expect(
                try wait(for: run) {
                    let status = try place.run("status", "--json", "--state", "state").objects().first
                    return status?["waiting"] as? Int == 1 && status?["paused"] as? Bool == true
                })
            #expect(try place.run("resume", "--state", "state").output == "resumed\n")
            #expect(
                try wait(for: run) {
                    try place.run("history", "--json", "--status", "done", "--state", "state").lines.count == 1
                })
            let doctor = try place.run("doctor", "--inbox", "in", "--output", "out", "--state", "state")
            #expect(doctor.code == 0 || doctor.output.contains("MiB free"), "\(doctor.output)")
            #expect(doctor.output.contains("ok  daemon: process "))

            // Another state, the same inbox.
            let second = try place.run(
                "run", "--inbox", "in", "--output", "out", "--state", "other", "--model", place.model)
            #expect(second.code == 11)
            #expect(second.errorLines.count == 1)
            run.terminate()
            #expect(try run.finish().code == 0)
            #expect(try place.run("pause", "--state", "state").code == 1)
        }

        @Test func theConfigurationIsCheckedAndShown() throws {
            try Data("watch:\n  path: \(place["in"].path)\n  pth: x\n".utf8).write(to: place["bad.yaml"])
            let bad = try place.run("config", "check", "--config", "bad.yaml")
            #expect(bad.code == 78)
            #expect(bad.errors.contains("line 3"))
            let text = "watch:\n  path: \(place["in"].path)\noutput:\n  dir: \(place["out"].path)\n"
            try Data(text.utf8).write(to: place["good.yaml"])
            #expect(try place.run("config", "check", "--config", "good.yaml").code == 0)
            let rows = try place.run("config", "show", "--json", "--config", "good.yaml").objects()
            let output = try #require(rows.first { $0["key"] as? String == "output.dir" })
            #expect(output["value"] as? String == place["out"].path)
            #expect((output["origin"] as? String)?.hasSuffix("good.yaml, line 4") == true)
            let defaults = try place.run("config", "defaults")
            try Data(defaults.output.utf8).write(to: place["defaults.yaml"])
            #expect(defaults.code == 0 && defaults.output.contains("# rescan_interval: 5m"))
        }
    }
}

/// The socket on which systemd listens to its services (sd_notify(3)).
private final class FakeServiceManager {
    private let descriptor: Int32
    private(set) var messages: Set<String> = []

    init(path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        try #require(path.utf8.count < MemoryLayout.size(ofValue: address.sun_path))
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(status == 0)
    }

    deinit { close(descriptor) }

    /// Takes what has arrived; the queue of a socket is short, so this is done while waiting.
    func receive() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { return }
            messages.formUnion(
                String(decoding: buffer[..<count], as: UTF8.self).split(separator: "\n").map(String.init))
        }
    }
}
