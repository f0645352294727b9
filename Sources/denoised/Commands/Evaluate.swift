import ArgumentParser
import DenoiseService
import Denoising
import Foundation
import Imaging
import SystemPackage

/// PSNR and SSIM on pairs.
struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compare with clean photographs: PSNR and SSIM, before and after.",
        discussion: """
            denoised evaluate --noisy noisy/ --clean clean/
            denoised evaluate --noisy pairs/ --clean pairs/ --noisy-suffix _real --clean-suffix _mean
            """)

    @Option(help: "Folder of noisy photographs, paired with the clean ones by sorted order.")
    var noisy: String

    @Option(help: "Folder of clean photographs.")
    var clean: String

    @Option(help: "Only names that end so (before the extension) are noisy.")
    var noisySuffix: String?

    @Option(help: "Only names that end so (before the extension) are clean.")
    var cleanSuffix: String?

    @Option(help: "State folder whose promoted models are used: a camera's own, else the general one.")
    var state: String?

    @Flag(help: "Print one JSON object for each pair, then one for the mean.")
    var json = false

    @OptionGroup var image: ImageOptionGroup

    private struct Line: Encodable {
        let file: String?
        let images: Int
        let score: Evaluation.Score

        /// Equal images have no finite PSNR; that is null, as every unknown value.
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(file, forKey: .file)
            try container.encode(images, forKey: .images)
            try container.encode(score.noisyPSNR.isFinite ? score.noisyPSNR : nil, forKey: .noisy_psnr)
            try container.encode(score.psnr.isFinite ? score.psnr : nil, forKey: .psnr)
            try container.encode(score.noisySSIM, forKey: .noisy_ssim)
            try container.encode(score.ssim, forKey: .ssim)
        }

        private enum CodingKeys: CodingKey { case file, images, noisy_psnr, psnr, noisy_ssim, ssim }
    }

    func run() throws {
        let noisyFiles = try files(in: noisy, suffix: noisySuffix)
        let cleanFiles = try files(in: clean, suffix: cleanSuffix)
        guard noisyFiles.count == cleanFiles.count, !noisyFiles.isEmpty else {
            throw OptionsMismatch(noisy: noisyFiles.count, clean: cleanFiles.count)
        }
        let evaluation = Evaluation(
            try PhotographDenoiser(
                options: image.options, state: state.map { FilePath($0) }, limits: .ofNamedFiles, decoder: .confined))
        let line = ProgressLine("evaluating \(noisyFiles.count) pairs")
        var scores: [Evaluation.Score] = []
        for (noisy, clean) in zip(noisyFiles, cleanFiles) {
            let score = try evaluation.score(noisy: noisy, clean: clean)
            scores.append(score)
            line.update(Double(scores.count) / Double(noisyFiles.count))
            line.finish()
            try show(score, file: noisy.lastComponent?.string)
        }
        line.finish()
        try show(Evaluation.mean(scores), images: scores.count)
    }

    private func files(in folder: String, suffix: String?) throws -> [FilePath] {
        try PhotographFolder.files(in: FilePath(folder)).filter { path in
            suffix.map { path.stem?.hasSuffix($0) ?? false } ?? true
        }
    }

    private func show(_ score: Evaluation.Score, file: String? = nil, images: Int = 1) throws {
        if json { return try Console.json(Line(file: file, images: images, score: score)) }
        let numbers = String(
            format: "PSNR %.2f → %.2f dB (%+.2f), SSIM %.4f → %.4f", score.noisyPSNR, score.psnr,
            score.psnr - score.noisyPSNR, score.noisySSIM, score.ssim)
        print("\(printable(file ?? "mean of \(images)")): \(numbers)")
        fflush(nil)
    }

    private struct OptionsMismatch: Error, CustomStringConvertible {
        let noisy: Int
        let clean: Int
        var description: String {
            "\(noisy) noisy and \(clean) clean photographs do not pair up: check the folders and suffixes"
        }
    }
}
