import ArgumentParser
import DenoiseService
import Denoising
import Foundation
import Imaging
import SystemPackage

/// Files or folders, no daemon and no ledger needed.
struct Process: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Denoise files or folders once, without daemon and ledger.",
        discussion: """
            Outputs never replace files: a taken name gets a number. Links stand for the files that they point to.

            denoised process IMG_1.DNG --output out
            denoised process holiday/ --output out --preset balanced --format jpeg
            """)

    @Argument(help: "Photographs, or folders of photographs.")
    var inputs: [String]

    @Option(help: "Folder for the outputs; created if missing.")
    var output: String

    @Option(help: "State folder whose promoted models are used: a camera's own, else the general one.")
    var state: String?

    @Flag(help: "Print one JSON object for each input.")
    var json = false

    @OptionGroup var image: ImageOptionGroup

    private struct Line: Encodable {
        let file: String
        var output: String?
        let status: String
        var seconds: Double?
        /// The one that was used: the camera's own, or that of all others.
        var model: String?
        /// Why it failed, or needed nothing.
        var reason: String?

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(file, forKey: .file)
            try container.encode(output, forKey: .output)
            try container.encode(status, forKey: .status)
            try container.encode(seconds, forKey: .seconds)
            try container.encode(model, forKey: .model)
            try container.encode(reason, forKey: .reason)
        }

        private enum CodingKeys: CodingKey { case file, output, status, seconds, model, reason }
    }

    func run() throws {
        let denoiser = try PhotographDenoiser(
            options: image.options, state: state.map { FilePath($0) }, limits: .ofNamedFiles, decoder: .confined)
        let isPlain = denoiser.model?.metadata["variant"] == ModelImport.Variant.plain.rawValue
        let runsPlain = image.preset == .fast && denoiser.model?.isTaughtPlain == true
        if image.method == .amsnet, isPlain, !runsPlain {
            Console.error(
                "denoised: \(printable(denoiser.recipes.general.modelName)) was not taught with masks: add --method plain"
            )
        }
        let files = try inputs.map { FilePath($0) }.flatMap { input in
            PhotographFolder.exists(at: input) ? try PhotographFolder.files(in: input) : [input]
        }
        try createFolder(FilePath(output))
        let failures = try files.reduce(0) { try $0 + (process($1, denoiser) ? 0 : 1) }
        if failures > 0 { throw ExitCode(failures == files.count && files.count == 1 ? 1 : 3) }
    }

    /// Denoises one file and says so; false if it failed.
    private func process(_ file: FilePath, _ denoiser: PhotographDenoiser) throws -> Bool {
        let line = ProgressLine(printable(file.lastComponent?.string ?? file.string))
        do {
            let report = try denoiser.denoise(file, into: FilePath(output)) { line.update($0) }
            line.finish()
            if json {
                try Console.json(
                    Line(
                        file: file.string, output: report.output, status: "done", seconds: report.metrics["seconds"],
                        model: report.recipe.modelName, reason: report.remark))
            } else {
                print("\(printable(file.string)) → \(printable(report.output)) (\(summary(report)))")
            }
            return true
        } catch let finding as NothingToDenoise {
            line.finish()
            if json {
                try Console.json(Line(file: file.string, status: "skipped", reason: "\(finding)"))
            } else {
                print("\(printable(file.string)): \(finding)")
            }
            return true
        } catch {
            line.finish()
            complain(error)
            if json {
                try Console.json(Line(file: file.string, status: "failed", reason: "\(error)"))
            }
            return false
        }
    }

    private func summary(_ report: DenoisingReport) -> String {
        let work = "\(report.width) × \(report.height) in \(decimal(report.metrics["seconds"])) s"
        if let remark = report.remark { return "\(work); \(remark)" }
        guard let before = report.metrics["noise_before"] else { return work }
        return "\(work), noise \(decimal(before)) → \(decimal(report.metrics["noise_after"])) of 255"
    }
}
