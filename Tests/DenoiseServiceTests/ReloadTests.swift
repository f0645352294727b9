import Denoising
import Foundation
import SystemPackage
import Testing

@testable import DenoiseService

@Suite struct ReloadTests {
    /// A reloader, what systemd hears, and how often the service was told.
    private final class Bench: Sendable {
        let folder: ServiceFolder
        let live: LiveSettings
        let systemd: FakeSystemd
        let progress = ServiceProgress()

        init() throws {
            folder = try ServiceFolder()
            live = LiveSettings(Settings(folder.configuration, denoiser: FakeDenoiser()))
            systemd = try FakeSystemd(folder.root.appending("s").string)
        }

        func reload(_ reload: @escaping Daemon.Reload) {
            let manager = ServiceManager(environment: ["NOTIFY_SOCKET": folder.root.appending("s").string])
            Reloader(
                live: live, manager: manager, progress: progress, logger: .silent, reload: reload, onReload: {}
            ).perform()
        }
    }

    @Test func aValidConfigurationTakesEffectAndSystemdHearsOfIt() throws {
        let bench = try Bench()
        bench.reload { current in
            var configuration = current
            configuration.limits.maximumAttempts = 9
            return (configuration, FakeDenoiser(recipe: "d"))
        }
        #expect(bench.live.current.configuration.limits.maximumAttempts == 9)
        #expect(bench.live.current.denoiser.recipes.general.hash.first == "d")
        #expect(bench.live.generation == 1)
        let messages = bench.systemd.received()
        #expect(messages.first?.hasPrefix("RELOADING=1\nMONOTONIC_USEC=") == true)
        #expect(messages.last == "READY=1")
    }

    @Test func anUnchangedConfigurationChangesNothing() throws {
        let bench = try Bench()
        bench.reload { _ in nil }
        let recipe = bench.live.current.denoiser.recipes.general.hash
        bench.reload { ($0, FakeDenoiser(recipe: Character(String(recipe.prefix(1))))) }
        #expect(bench.live.generation == 0)
    }

    /// The keys are the same, the recipe is not.
    @Test func anotherModelTakesEffect() throws {
        let bench = try Bench()
        bench.reload { ($0, FakeDenoiser(recipe: "e")) }
        #expect(bench.live.current.denoiser.recipes.general.hash.first == "e")
        #expect(bench.live.generation == 1)
    }

    @Test func anotherModelOfOneCameraTakesEffect() throws {
        let bench = try Bench()
        bench.reload { ($0, FakeDenoiser(own: "e")) }
        #expect(bench.live.current.denoiser.recipes["Fake 1"].hash.first == "e")
        #expect(bench.live.generation == 1)
    }

    @Test(arguments: [
        "watch:\n  pth: /a\n", "watch: 5\n", "limits:\n  megapixels: many\n", "watch:\n  path: [/a\n",
        "watch:\n  mode: guess\n", "output:\n  dir: relative\n", "finetune:\n  schedule: nightly\n",
        "hooks:\n  pre: script.sh\n", "history:\n  keep: 5s\n", "limits:\n  retry_backoff: 0s\n",
        "watch:\n  on_success: burn\n", "watch:\n  poll_interval: 0s\n", "limits:\n  max_attempts: 0\n",
        "output:\n  compression: lzma\n", "watch:\n  on_duplicate: [list]\n  x: 1\n", "state:\n  dir: /elsewhere\n",
    ])
    func withAnyMistakeTheOldConfigurationStays(text: String) throws {
        let bench = try Bench()
        let before = bench.live.current.configuration
        let folder = bench.folder
        bench.reload { _ in
            let flags = [
                ConfigurationFlag(key: "watch.path", values: [folder.inbox.string], flag: "--inbox"),
                ConfigurationFlag(key: "output.dir", values: [folder.output.string], flag: "--output"),
            ]
            let loaded = try ConfigurationLoader(environment: [:], flags: flags).load(text: text, from: "/etc/x.yaml")
            return (loaded.values, FakeDenoiser())
        }
        #expect(bench.live.current.configuration == before)
        #expect(bench.live.generation == 0)
        #expect(bench.progress.snapshot.warnings["configuration"] != nil)
        #expect(bench.systemd.received().last == "READY=1")
    }

    @Test func theWarningGoesWithTheMistake() throws {
        let bench = try Bench()
        bench.reload { _ in throw ServiceError(.badConfiguration, subject: "x, line 3", cause: "no", remedy: "yes") }
        #expect(bench.progress.snapshot.warnings["configuration"]?.contains("line 3") == true)
        bench.reload { _ in nil }
        #expect(bench.progress.snapshot.warnings.isEmpty)
        bench.reload { _ in throw ServiceError(.badConfiguration, subject: "x, line 3", cause: "no", remedy: "yes") }
        bench.reload { ($0, FakeDenoiser()) }
        #expect(bench.progress.snapshot.warnings.isEmpty)
    }

    @Test func aStopThatMakesProgressGetsMoreTime() throws {
        let bench = try Bench()
        let manager = ServiceManager(environment: ["NOTIFY_SOCKET": bench.folder.root.appending("s").string])
        let reporter = StatusReporter(
            progress: bench.progress, waiting: { 0 }, gate: PauseGate { .zero }, manager: manager,
            state: bench.folder.state, time: { .zero }, logger: .silent)
        var memory = StatusReporter.Memory()
        func extensions() -> Int {
            reporter.report(&memory)
            return bench.systemd.received().filter { $0 == "EXTEND_TIMEOUT_USEC=30000000" }.count
        }
        #expect(extensions() == 0)
        manager.stopping()
        #expect(extensions() == 1)
        #expect(extensions() == 0)
        bench.progress.beat()
        #expect(extensions() == 1)
    }
}
