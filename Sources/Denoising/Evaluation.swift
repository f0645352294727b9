import Imaging
import SystemPackage

/// Noisy and clean versions of the same scenes, compared before and after denoising.
public struct Evaluation: Sendable {
    /// One scene, or the mean over all; PSNR in dB, SSIM up to 1 (spec A.10).
    public struct Score: Sendable, Equatable {
        public var noisyPSNR: Double
        public var psnr: Double
        public var noisySSIM: Double
        public var ssim: Double
    }

    public let denoiser: PhotographDenoiser

    public init(_ denoiser: PhotographDenoiser) { self.denoiser = denoiser }

    /// Denoises `noisy` in memory and compares with `clean`; both are 8-bit for the comparison.
    ///
    /// - Throws: decoding errors, and `QualityError` when the sizes differ.
    public func score(noisy: FilePath, clean: FilePath) throws -> Score {
        let contents = try FileContents(noisy, limits: denoiser.limits)
        let input = try denoiser.decoder.decode(contents, limits: denoiser.limits)
        let reference = try denoiser.decoder.decode(clean, limits: denoiser.limits).pixels.planar()
        let output = try denoiser.denoised(input, contentsOf: contents).planar()
        let before = input.pixels.planar()
        return Score(
            noisyPSNR: try QualityMetrics.psnr(before, reference), psnr: try QualityMetrics.psnr(output, reference),
            noisySSIM: try QualityMetrics.ssim(before, reference), ssim: try QualityMetrics.ssim(output, reference))
    }

    /// - Precondition: at least one score.
    public static func mean(_ scores: [Score]) -> Score {
        let count = Double(scores.count)
        return Score(
            noisyPSNR: scores.reduce(0) { $0 + $1.noisyPSNR } / count, psnr: scores.reduce(0) { $0 + $1.psnr } / count,
            noisySSIM: scores.reduce(0) { $0 + $1.noisySSIM } / count, ssim: scores.reduce(0) { $0 + $1.ssim } / count)
    }
}
