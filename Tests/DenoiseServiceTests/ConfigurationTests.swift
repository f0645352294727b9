import Denoising
import Imaging
import SystemPackage
import Testing

@testable import DenoiseService

@Suite struct ConfigurationTests {
    private func load(
        _ text: String, environment: [String: String] = [:], flags: [ConfigurationFlag] = []
    ) throws -> LoadedConfiguration {
        try ConfigurationLoader(environment: environment, flags: flags).load(text: text, from: "/etc/x.yaml")
    }

    @Test func everyKindOfValueIsRead() throws {
        let configuration = try load(
            """
            watch:
              path: [/a, /b]
              recursive: no
              stability_delay: 2m
              extensions:
                - .DNG
            output:
              dir: /out/
              bit_depth: 16
            denoise:
              preset: fast
              strength: 0.5
            limits:
              min_free_space: 2GiB
            """
        ).values
        #expect(configuration.watch.paths == ["/a", "/b"])
        #expect(!configuration.watch.isRecursive)
        #expect(configuration.watch.stabilityDelay == .seconds(120))
        #expect(configuration.watch.extensions == ["dng"])
        #expect(configuration.output.directory == "/out")
        #expect(configuration.image.bitDepth == 16)
        #expect(configuration.image.preset == .fast)
        #expect(configuration.image.strength == 0.5)
        #expect(configuration.limits.minimumFreeSpace == 2 << 30)
    }

    @Test func theExampleIsValidWithAndWithoutItsDefaults() throws {
        let file = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
            .appending("systemd").appending("denoised.yaml")
        let text = String(decoding: try bytes(of: file), as: UTF8.self)
        #expect(throws: Never.self) { try load(text).values.validate() }
        // A comment that looks like a key becomes one; sentences begin with a capital.
        let everything = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.contains(/^ *# [a-z_]+:( |$)/) ? line.replacing("# ", with: "", maxReplacements: 1) : line
        }
        let loaded = try load(everything.joined(separator: "\n"))
        let expert: Set = ["denoise.method", "denoise.tile", "denoise.overlap", "denoise.refinements", "denoise.seed"]
        #expect(Set(loaded.origins.keys) == Set(ConfigurationKey.all.map(\.name)).subtracting(expert))
    }

    @Test func theKeysOfOperationAreRead() throws {
        let configuration = try load(
            """
            watch:
              mode: poll
              poll_interval: 30s
              on_success: archive
              on_duplicate: copy
            output:
              compression: none
            finetune:
              enabled: yes
              schedule: 22:30-06:15
              min_captures: 50
            limits:
              memory: 2GiB
              megapixels: 102.4
              max_attempts: 3
              retry_backoff: 2m
            hooks:
              pre: /usr/local/bin/before
              post: /usr/local/bin/after
              timeout: 90s
            history:
              keep: 365d
            denoise:
              on_clean: skip
            decoder:
              confinement: preferred
            """
        ).values
        #expect(configuration.watch.mode == .poll)
        #expect(configuration.watch.pollInterval == .seconds(30))
        #expect(configuration.watch.onSuccess == .archive)
        #expect(configuration.watch.onDuplicate == .copy)
        #expect(configuration.image.compression == OutputCompression.none)
        #expect(configuration.finetune.isEnabled)
        #expect(configuration.finetune.schedule == DailyWindow(start: 1350, end: 375))
        #expect(configuration.finetune.minimumCaptures == 50)
        #expect(configuration.limits.memory == 2 << 30)
        #expect(configuration.limits.megapixels == 102.4)
        #expect(configuration.limits.maximumAttempts == 3)
        #expect(configuration.limits.retryBackoff == .seconds(120))
        #expect(configuration.hooks.pre == "/usr/local/bin/before")
        #expect(configuration.hooks.post == "/usr/local/bin/after")
        #expect(configuration.hooks.timeout == .seconds(90))
        #expect(configuration.history.keep == .seconds(365 * 86400))
        #expect(configuration.image.onClean == .skip)
        #expect(configuration.decoder.confinement == .preferred)
    }

    /// What `config show` prints can be put into a file and means the same.
    @Test(arguments: ConfigurationKey.all.map(\.name))
    func everyValueReadsBackAsItself(name: String) throws {
        let key = try #require(ConfigurationKey.all.first { $0.name == name })
        guard let texts = key.values(in: Configuration()), !texts.isEmpty else { return }
        let flag = ConfigurationFlag(key: name, values: texts, flag: "--set")
        let loaded = try ConfigurationLoader(environment: [:], flags: [flag]).load(text: "", from: "/x")
        #expect(loaded.values == Configuration())
        #expect(key.values(in: loaded.values) == texts)
    }

    @Test(arguments: [("01:00-05:00", 60, 240), ("23:00 - 01:00", 1380, 120), ("00:00-23:59", 0, 1439)])
    func partsOfTheDayAreRead(text: String, start: Int, length: Int) throws {
        let window = try #require(DailyWindow(text))
        #expect(window.start == start)
        #expect(window.length == length)
        #expect(DailyWindow(window.description) == window)
        #expect(window.contains(minute: start) && !window.contains(minute: window.end))
    }

    @Test func aWindowMayPassMidnight() {
        let window = DailyWindow(start: 1380, end: 60)
        #expect([1379, 1380, 1439, 0, 59, 60].map(window.contains) == [false, true, true, true, true, false])
    }

    @Test(arguments: ["", "1-5", "24:00-05:00", "01:60-02:00", "05:00-05:00", "01:00-05:00-06:00"])
    func otherTextIsNoPartOfTheDay(text: String) { #expect(DailyWindow(text) == nil) }

    @Test func anEmptyFileIsTheDefault() throws {
        #expect(try load("").values.watch == Configuration().watch)
        #expect(try load("# nothing\n").values.watch == Configuration().watch)
    }

    @Test(arguments: [
        ("watch:\n  path: /a\n  pth: /b\n", 3, "unknown key watch.pth"),
        ("watch:\n  path: /a\nwach:\n  x: 1\n", 3, "unknown key wach"),
        ("output:\n  dir: /a\n  bit_depth: 12\n", 3, "output.bit_depth"),
        ("denoise:\n  strength: 1.5\n", 2, "denoise.strength"),
        ("denoise:\n  preset: good\n", 2, "fast, balanced, best"),
        ("watch:\n  path: inbox\n", 2, "absolute"),
        ("watch:\n  stability_delay: soon\n", 2, "not a time"),
        ("watch: 5\n", 1, "section"),
        ("watch:\n  recursive: [yes, no]\n", 2, "one value"),
        ("watch:\n  path: [/a\n", 3, ""),
        // Of a key that appears twice, the line of the first is known.
        ("watch:\n  path: /a\n  path: /b\n", 2, "twice"),
    ])
    func aMistakeIsReportedWithItsLine(text: String, line: Int, part: String) throws {
        let error = try #require(throws: ServiceError.self) { try load(text) }
        #expect(error.code == .badConfiguration)
        #expect(error.description.hasPrefix("/etc/x.yaml, line \(line): "), "\(error)")
        #expect(error.description.contains(part), "\(error)")
    }

    @Test func aFlagWinsOverTheEnvironmentAndThatOverTheFile() throws {
        let text = "denoise:\n  preset: fast\noutput:\n  dir: /file\nwatch:\n  path: /file\n"
        let loaded = try load(
            text, environment: ["DENOISED_OUTPUT_DIR": "/environment", "DENOISED_WATCH_PATH": "/a:/b"],
            flags: [ConfigurationFlag(key: "watch.path", values: ["/flag"], flag: "--inbox")])
        #expect(loaded.values.image.preset == .fast)
        #expect(loaded.values.output.directory == "/environment")
        #expect(loaded.values.watch.paths == ["/flag"])
        #expect(loaded.origins["denoise.preset"] == .file("/etc/x.yaml", line: 2))
        #expect(loaded.origins["output.dir"] == .environment("DENOISED_OUTPUT_DIR"))
        #expect(loaded.origins["watch.path"] == .flag("--inbox"))
    }

    @Test func aMisspeltVariableIsAnError() throws {
        let error = try #require(throws: ServiceError.self) { try load("", environment: ["DENOISED_WATCH_PTH": "/a"]) }
        #expect(error.description.contains("DENOISED_WATCH_PTH"))
        #expect(throws: Never.self) { try load("", environment: ["DENOISED_TEST_DATA": "/a"]) }
    }

    @Test func inboxAndOutputMustNotBeTheSame() throws {
        var configuration = Configuration()
        configuration.watch.paths = ["/photos"]
        configuration.output.directory = "/photos"
        #expect(throws: ServiceError.self) { try configuration.validate() }
        configuration.output.directory = nil
        #expect(throws: ServiceError.self) { try configuration.validate() }
        configuration.output.directory = "/photos/out"
        #expect(throws: Never.self) { try configuration.validate() }
    }

    @Test(arguments: [
        ("5s", 5), ("250ms", 0.25), ("2m", 120), ("1h", 3600), ("7d", 604_800), ("10", 10), ("1.5 s", 1.5),
    ])
    func durationsAreRead(text: String, seconds: Double) {
        #expect(parseDuration(text) == .seconds(seconds))
    }

    @Test(arguments: ["", "s", "-1s", "5 weeks", "nan", "inf", "1e30d"]) func otherTextIsNoDuration(text: String) {
        #expect(parseDuration(text) == nil)
    }

    @Test func theStateFolderFollowsTheSystem() {
        #expect(StateFolder.standard(environment: ["STATE_DIRECTORY": "/s:/t"], isRoot: true) == "/s")
        #expect(StateFolder.standard(environment: [:], isRoot: true) == "/var/lib/denoised")
        #expect(StateFolder.standard(environment: ["HOME": "/h"], isRoot: false) == "/h/.local/state/denoised")
        #expect(StateFolder.standard(environment: ["XDG_STATE_HOME": "/x"], isRoot: false) == "/x/denoised")
    }
}
