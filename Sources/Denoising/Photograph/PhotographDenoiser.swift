import Crypto
import Foundation
import Imaging
import Networks
import SystemPackage
import Tensors

/// Denoises photographs with one model and one set of options.
public struct PhotographDenoiser: PhotographDenoising {
    public let options: ImageOptions
    /// Nil where the method needs none.
    public let model: Model?
    public let limits: DecodingLimits
    public let recipeHash: String

    public var modelName: String { model?.name ?? options.method.rawValue }
    public let modelHash: String

    /// Resolves the model and checks the options.
    ///
    /// - Parameter state: the state folder whose models count, if any.
    /// - Throws: `ModelError`; `OptionsError` for options that cannot work.
    public init(options: ImageOptions, state: FilePath? = nil, limits: DecodingLimits = DecodingLimits()) throws {
        let model = options.method.needsModel ? try ModelStore(state: state).model(named: options.model) : nil
        try self.init(options: options, model: model, limits: limits)
    }

    /// - Parameter model: nil for methods that need none.
    public init(options: ImageOptions, model: Model?, limits: DecodingLimits = DecodingLimits()) throws {
        try options.check()
        self.options = options
        self.model = model
        self.limits = limits
        modelHash = try model?.hash ?? options.method.hash
        recipeHash = try Self.hash(of: options, modelHash)
    }

    /// Threads and the model's name change nothing in the result; everything else does.
    private static func hash(of options: ImageOptions, _ modelHash: String) throws -> String {
        var recipe = options
        recipe.threads = nil
        recipe.model = modelHash
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return SHA256.hash(data: try encoder.encode(recipe)).hexadecimal
    }

    public func denoise(
        _ path: FilePath, into directory: FilePath, progress: @escaping @Sendable (Double) -> Void
    ) throws -> DenoisingReport {
        var clock = StageClock()
        let contents = try FileContents(path, limits: limits)
        let sourceHash = contents.bytes.withUnsafeBytes { SHA256.hash(data: $0) }
        var photograph = try ImageDecoder.decode(contents, limits: limits)
        if options.bitDepth == 16 { photograph.pixels = photograph.pixels.widened }
        clock.finish("decode")
        let noisy = photograph.pixels.noiseSample
        let means = photograph.pixels.channelMeans
        clock.finish("measure")

        let pass = try TiledDenoising(
            options, model, photograph.pixels, noiseSample: noisy, of: path, seed: options.seed ?? sourceHash.seed)
        photograph.pixels = try pass.run(on: photograph.pixels, progress: progress)
        clock.finish("network")
        let denoised = photograph.pixels.noiseSample
        let drift = zip(means, photograph.pixels.channelMeans).map { abs($0 - $1) }.max()
        clock.finish("measure")

        let output = try publish(photograph, of: path, into: directory)
        clock.finish("encode")
        var report = DenoisingReport(
            source: path.string, sourceHash: sourceHash.hexadecimal, output: output.path.string,
            outputHash: output.hash,
            width: photograph.pixels.width, height: photograph.pixels.height, passes: pass.passes, tilePlan: pass.plan,
            camera: photograph.metadata.camera, lens: photograph.metadata.lens, iso: photograph.metadata.iso,
            exposure: photograph.metadata.exposure)
        report.metrics = clock.metrics(megapixels: Double(report.width * report.height) / 1e6)
        let before = NoiseMeasurement(of: noisy)?.luma
        report.metrics["noise_before"] = before?.deviation
        report.metrics["noise_after"] = NoiseMeasurement(of: denoised)?.luma.deviation
        report.metrics["noise_correlation"] = before?.correlation(lag: 1)
        report.metrics["residual_structure"] = ResidualStructure.measure(noisy: noisy, denoised: denoised)
        report.metrics["colour_drift"] = drift
        trimTensorMemory()
        return report
    }

    /// The pixels denoised in memory, with the random fields that the file's hash or the options name.
    func denoised(_ pixels: PixelBuffer, contentsOf file: FileContents) throws -> PixelBuffer {
        let seed = options.seed ?? file.bytes.withUnsafeBytes { SHA256.hash(data: $0) }.seed
        let pass = try TiledDenoising(
            options, model, pixels, noiseSample: pixels.noiseSample, of: file.path, seed: seed)
        return try pass.run(on: pixels) { _ in }
    }

    /// Encodes, syncs and names the output; the hash is of the bytes that were written.
    private func publish(
        _ photograph: Photograph, of source: FilePath, into directory: FilePath
    ) throws -> (path: FilePath, hash: String) {
        let format = options.format.encoderFormat(keeping: photograph.format)
        let file = try StagedFile(directory.appending(options.outputName(of: source, format.fileExtension)))
        try ImageEncoder.encode(photograph, format: format, bitDepth: options.bitDepth, to: file)
        var digest = SHA256()
        try file.readBack { digest.update(bufferPointer: $0) }
        return (try file.finish(attempts: 1000), digest.finalize().hexadecimal)
    }
}

extension SHA256.Digest {
    /// The first eight bytes, as the seed of a file's random fields.
    var seed: UInt64 { prefix(8).reduce(0) { $0 << 8 | UInt64($1) } }
}
