import Testing

extension EndToEnd {
    /// Help is part of the product.
    @Suite struct HelpTests {
        private static let commands = [
            [], ["run"], ["process"], ["status"], ["history"], ["show"], ["stats"], ["explain"], ["retry"],
            ["pause"], ["resume"], ["quarantine"], ["quarantine", "list"], ["quarantine", "release"],
            ["quarantine", "purge"], ["config"], ["config", "check"], ["config", "defaults"], ["config", "show"],
            ["doctor"],
            ["evaluate"],
            ["compare"], ["bench"], ["train"], ["finetune"], ["model"], ["model", "list"], ["model", "show"],
            ["model", "import"], ["model", "verify"], ["model", "use"], ["model", "rollback"],
        ]

        private let place: Workplace

        init() throws { place = try Workplace() }

        @Test(arguments: commands)
        func helpFitsATerminal(_ command: [String]) throws {
            let outcome = try place.run.start(command + ["--help"]).finish()
            #expect(outcome.code == 0)
            #expect(outcome.errors.isEmpty)
            #expect(outcome.output.hasPrefix("OVERVIEW: "))
            #expect(outcome.lines.allSatisfy { $0.count <= 120 })
        }

        @Test(arguments: [["nonsense"], ["history", "--limit", "-1"], ["show"], ["show", "x", "--state", "s"]])
        func wrongUseIsTwo(_ arguments: [String]) throws {
            let outcome = try place.run.start(arguments).finish()
            #expect(outcome.code == 2)
            #expect(outcome.output.isEmpty)
            #expect(outcome.errors.contains("Usage: denoised"))
        }

        @Test func badConfigurationIsSeventyEight() throws {
            let outcome = try place.run("run", "--oneshot", "--state", "state", "--set", "watch.pth=in")
            #expect(outcome.code == 78)
            #expect(outcome.errorLines.count == 1)
        }
    }
}
