import ArgumentParser
import DenoiseService

/// `denoised doctor`: whether everything that the service needs is in order.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Look at mounts, permissions, space, limits, ledger and daemon.",
        discussion: "Changes nothing. Ends with 1 if something does not work; a warning is a risk.")

    @OptionGroup var location: StateOptions

    @OptionGroup var folders: FolderOptions

    @Flag(help: "One JSON document.")
    var json = false

    func run() async throws {
        try await reportingFailure {
            let diagnosis = Diagnosis(try location.configuration(folders.flags))
            if json {
                print(Self.document(diagnosis).line)
            } else {
                for finding in diagnosis.findings {
                    print(printable("\(finding.level.rawValue)  \(finding.check): \(finding.detail)"))
                }
            }
            if diagnosis.level == .problem { throw ExitStatus.failed }
        }
    }

    private static func document(_ diagnosis: Diagnosis) -> JSONText {
        let checks = diagnosis.findings.map { finding in
            JSONText.object([
                ("check", .text(finding.check)), ("level", .text(finding.level.rawValue)),
                ("detail", .text(finding.detail)),
            ])
        }
        return .object([("level", .text(diagnosis.level.rawValue)), ("checks", .list(checks))])
    }
}
