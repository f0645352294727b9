import Foundation
import Ledger
import SystemPackage
import Testing

@testable import DenoiseService

@Suite struct DiagnosisTests {
    private static let limits = ["max_user_watches": 65536, "max_user_instances": 128, "max_queued_events": 16384]

    private func diagnosis(
        _ folder: ServiceFolder, _ configuration: Configuration? = nil, mounts: MountTable = .current(),
        limits: [String: Int] = limits
    ) throws -> Diagnosis {
        chmod(folder.state.string, 0o700)
        return Diagnosis(configuration ?? folder.configuration, mounts: mounts) { limits[$0] }
    }

    private func level(_ check: String, _ diagnosis: Diagnosis) -> Diagnosis.Level? {
        diagnosis.findings.filter { $0.check == check }.map(\.level).max()
    }

    @Test func aHealthyServiceHasNoProblem() throws {
        let folder = try ServiceFolder()
        let ledger = try folder.ledger()
        let diagnosis = try diagnosis(folder)
        #expect(diagnosis.level < .problem)
        #expect(
            diagnosis.findings.map(\.check) == ["inbox", "output", "state", "sqlite", "ledger", "inotify", "daemon"])
        try ledger.close()
    }

    @Test func whatIsMissingIsAProblem() throws {
        let folder = try ServiceFolder()
        var configuration = folder.configuration
        configuration.watch.paths = [folder.root.appending("nowhere")]
        configuration.hooks.post = folder.root.appending("nothing")
        configuration.limits.minimumFreeSpace = .max
        let diagnosis = try diagnosis(folder, configuration)
        for check in ["inbox", "output", "hooks"] { #expect(level(check, diagnosis) == .problem, "\(check)") }
    }

    @Test func withoutAnInboxTheRestIsLookedAt() throws {
        let folder = try ServiceFolder()
        var configuration = folder.configuration
        configuration.watch.paths = []
        let diagnosis = try diagnosis(folder, configuration)
        #expect(level("configuration", diagnosis) == .problem)
        #expect(level("state", diagnosis) != nil && level("daemon", diagnosis) != nil)
    }

    @Test func sharesAndTheirDangersAreNamed() throws {
        let folder = try ServiceFolder()
        var configuration = folder.configuration
        configuration.watch.mode = .events
        let mounts = MountTable("9 1 0:5 / \(folder.root) rw - nfs4 s:/x rw")
        let diagnosis = try diagnosis(folder, configuration, mounts: mounts)
        #expect(level("inbox", diagnosis) == .warning)
        #expect(level("state", diagnosis) == .problem)
        #expect(diagnosis.findings.first?.detail.contains("nfs4") == true)
    }

    @Test func lowLimitsAndOpenStateAreWarnings() throws {
        let folder = try ServiceFolder()
        #expect(level("inotify", try diagnosis(folder, limits: ["max_user_watches": 100])) == .warning)
        var few = Self.limits
        few["max_user_watches"] = 100
        #expect(level("inotify", try diagnosis(folder, limits: few)) == .warning)
        chmod(folder.state.string, 0o755)
        #expect(level("state", Diagnosis(folder.configuration)) == .warning)
    }

    @Test func aDamagedLedgerIsAProblem() throws {
        let folder = try ServiceFolder()
        try folder.ledger().close()
        try write([UInt8](repeating: 7, count: 4096), to: folder.state.appending("ledger.sqlite"))
        #expect(level("ledger", try diagnosis(folder)) == .problem)
    }
}
