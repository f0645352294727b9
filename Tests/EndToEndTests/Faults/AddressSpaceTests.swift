import Foundation
import Testing

extension EndToEnd {
    /// A limit of the address space, as `ulimit -v` sets it: whatever it is, the program works or says in one line that
    /// it cannot, and ends.
    @Suite struct AddressSpaceTests {
        private let place: Workplace

        init() throws {
            place = try Workplace()
            try place.folder("in")
            try place.putWaves(as: "in/a.png", width: 1200, height: 800)
        }

        private func run(_ kibibytes: Int, _ arguments: [String]) throws -> Program.Outcome {
            let program = try #require(Program.executable).path
            return try Run(
                URL(filePath: "/bin/sh"), ["-c", "ulimit -v \(kibibytes) && exec \"$@\"", "sh", program] + arguments,
                in: place.root, environment: [:]
            ).finish()
        }

        @Test(arguments: Array(stride(from: 200_000, through: 1_000_000, by: 100_000)))
        func aPhotographIsDenoisedOrRefusedInOneLine(kibibytes: Int) throws {
            let outcome = try run(
                kibibytes, ["process", "in/a.png", "--output", "out", "--model", place.model, "--method", "plain"])
            if outcome.code == 0 {
                #expect(try place.names("out") == ["a-denoised.png"])
            } else {
                #expect(outcome.code == 1 || outcome.code == 3, "\(outcome.code): \(outcome.errors)")
                #expect(outcome.errorLines.count == 1 && outcome.errors.hasPrefix("denoised: "), "\(outcome.errors)")
                #expect(outcome.errors.contains("memory") && outcome.errors.contains("LimitAS="), "\(outcome.errors)")
                #expect(kibibytes < 700_000)
            }
        }

        @Test func whatNeedsNoMemoryIsAnsweredWithLittle() throws {
            #expect(try run(200_000, ["--version"]).code == 0)
            #expect(try run(200_000, ["config", "defaults"]).code == 0)
        }

        @Test func withoutRoomForItTheCeilingOfABenchIsUnknown() throws {
            let outcome = try run(600_000, ["bench", "--network", "dncnn", "--size", "32", "--threads", "4", "--json"])
            #expect(outcome.code == 0, "\(outcome.errors)")
            #expect(try outcome.objects().first?["sgemm_share"] is NSNull)
        }
    }
}
