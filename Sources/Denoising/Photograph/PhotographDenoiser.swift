import Crypto
import Foundation
import Imaging
import Networks
import SystemPackage
import Tensors

/// Denoises photographs with one set of options, and one model or, where none is named, that of each camera.
public struct PhotographDenoiser: PhotographDenoising {
    public let options: ImageOptions
    /// For cameras without a model of their own; nil where the method needs none.
    public let model: Model?
    private let cameraModels: CameraModels?
    public let limits: DecodingLimits
    public let decoder: PhotographDecoder
    /// Where photographs that take long leave finished tiles; nil for nowhere.
    public let checkpoints: TileCheckpoints?
    public let recipes: DenoisingRecipes
    /// Where noisy crops are kept to learn from; nil keeps none.
    public var captures: CaptureFolder?

    /// Resolves the model and checks the options.
    ///
    /// - Parameters:
    ///   - state: the state folder whose models count, if any.
    ///   - decoder: where files are decoded; programs that take files of others want `.confined`.
    /// - Throws: `ModelError`; `OptionsError` for options that cannot work.
    public init(
        options: ImageOptions, state: FilePath? = nil, limits: DecodingLimits = DecodingLimits(),
        decoder: PhotographDecoder = .inThisProcess, checkpoints: TileCheckpoints? = nil
    ) throws {
        let store = ModelStore(state: state)
        let needsModel = options.method.needsModel
        try self.init(
            options: options, model: needsModel ? store.model(named: options.model) : nil,
            cameraModels: needsModel && options.model == nil ? CameraModels(store) : nil, limits: limits,
            decoder: decoder, checkpoints: checkpoints)
    }

    /// One model for all photographs.
    ///
    /// - Parameter model: nil for methods that need none.
    public init(
        options: ImageOptions, model: Model?, limits: DecodingLimits = DecodingLimits(),
        decoder: PhotographDecoder = .inThisProcess, checkpoints: TileCheckpoints? = nil
    ) throws {
        try self.init(
            options: options, model: model, cameraModels: nil, limits: limits, decoder: decoder,
            checkpoints: checkpoints)
    }

    private init(
        options: ImageOptions, model: Model?, cameraModels: CameraModels?, limits: DecodingLimits,
        decoder: PhotographDecoder, checkpoints: TileCheckpoints?
    ) throws {
        try options.check()
        self.options = options
        self.model = model
        self.cameraModels = cameraModels
        self.limits = limits
        self.decoder = decoder
        self.checkpoints = checkpoints
        let (name, hash) = (model?.name ?? options.method.rawValue, try model?.hash ?? options.method.hash)
        recipes = DenoisingRecipes(
            general: try Self.recipe(options, name, hash),
            ofCameras: try (cameraModels?.facts ?? [:]).mapValues { try Self.recipe(options, $0.name, $0.hash) })
    }

    /// Threads and the model's name change nothing in the result; everything else does.
    private static func recipe(_ options: ImageOptions, _ name: String, _ modelHash: String) throws -> DenoisingRecipe {
        var recipe = options
        recipe.threads = nil
        recipe.model = modelHash
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let hash = SHA256.hash(data: try encoder.encode(recipe)).hexadecimal
        return DenoisingRecipe(hash: hash, modelName: name, modelHash: modelHash)
    }

    /// The model for photographs of a camera, whose recipe is `recipes[camera]`.
    private func model(for camera: String?) throws -> Model? {
        try Camera(camera).flatMap { try cameraModels?.model(of: $0) } ?? model
    }

    public func denoise(
        _ path: FilePath, into directory: FilePath, progress: @escaping @Sendable (Double) -> Void
    ) throws -> DenoisingReport {
        var clock = StageClock()
        let contents = try FileContents(path, limits: limits)
        let sourceHash = contents.withUnsafeBytes { SHA256.hash(data: $0) }
        var photograph = try decoder.decode(contents, limits: limits)
        if options.bitDepth == 16 { photograph.pixels = photograph.pixels.widened }
        clock.finish("decode")
        let noisy = photograph.pixels.noiseSample
        let noise = NoiseAssessment(of: noisy)
        let finding = noise.needsNothing ? NothingToDenoise(deviation: noise.largestDeviation) : nil
        if let finding, options.onClean == .skip { throw finding }
        let means = photograph.pixels.channelMeans
        // Learning is a gift: where a crop cannot be kept, the photograph is denoised all the same.
        let camera = photograph.metadata.camera
        _ = try? captures?.keep(
            photograph.pixels, camera: camera, iso: photograph.metadata.iso, hash: sourceHash.hexadecimal)
        clock.finish("measure")

        // Whether there is room for the output shall not be learned after hours of work.
        let room = try SpaceReservation(bytes: largestOutput(of: photograph, contents), in: directory)
        let recipe = recipes[camera]
        let pass = try tiledDenoising(
            of: photograph.pixels, camera, noise, noisy, path, seed: options.seed ?? sourceHash.seed)
        let log = checkpoints.flatMap {
            pass?.log(
                $0, identity: "\(sourceHash.hexadecimal) \(recipe.hash) \(ImageDecoder.libraries)",
                channels: photograph.pixels.colourChannels)
        }
        if let pass { photograph.pixels = try pass.run(on: photograph.pixels, log: log, progress: progress) }
        clock.finish("network")

        room.release()
        let finished = photograph
        let (output, effects) = try parallel(threads: options.threads ?? processorCount) {
            try publish(finished, of: contents, isChanged: pass != nil, into: directory)
        } _: {
            Self.effects(on: finished.pixels, from: noisy, means: means)
        }
        clock.finish("encode")
        var report = DenoisingReport(
            source: path.string, sourceHash: sourceHash.hexadecimal, output: output.path.string,
            outputHash: output.hash, recipe: recipe,
            width: photograph.pixels.width, height: photograph.pixels.height, passes: pass?.passes ?? 0,
            tilePlan: pass?.plan ?? "none",
            camera: camera, lens: photograph.metadata.lens, iso: photograph.metadata.iso,
            exposure: photograph.metadata.exposure)
        report.remark = finding.map {
            "\(NothingToDenoise.finding($0.deviation)), so it was only \(converts(photograph) ? "converted" : "copied")"
        }
        report.metrics = clock.metrics(megapixels: Double(report.width * report.height) / 1e6)
        report.metrics.merge(noise.metrics) { $1 }
        report.metrics["stride"] = pass.map { Double($0.stride) }
        report.metrics.merge(effects) { $1 }
        report.metrics["tiles_resumed"] = log.map { Double($0.reused) }
        trimTensorMemory()
        // Last of all: whoever stops the service before this line has lost no tile.
        log?.finish()
        return report
    }

    /// By the names of `DenoisingReport.metrics`: what denoising left of the noise, and whether it changed anything else.
    ///
    /// - Parameters:
    ///   - noisy: the sample of the photograph before.
    ///   - means: of its channels.
    private static func effects(on pixels: PixelBuffer, from noisy: PlanarImage, means: [Double]) -> [String: Double] {
        let denoised = pixels.noiseSample
        var metrics: [String: Double] = [:]
        metrics["noise_after"] = NoiseMeasurement(of: denoised)?.luma.deviation
        metrics["residual_structure"] = ResidualStructure.measure(noisy: noisy, denoised: denoised)
        metrics["colour_drift"] = zip(means, pixels.channelMeans).map { abs($0 - $1) }.max()
        return metrics
    }

    /// - Returns: nil for a photograph that needs nothing.
    private func tiledDenoising(
        of pixels: PixelBuffer, _ camera: String?, _ noise: NoiseAssessment, _ sample: PlanarImage, _ path: FilePath,
        seed: UInt64
    ) throws -> TiledDenoising? {
        if noise.needsNothing || options.strength == 0 { return nil }
        return try TiledDenoising(
            options, model(for: camera), pixels, noise, noiseSample: sample, of: path, seed: seed)
    }

    /// The pixels denoised in memory, with the random fields that the file's hash or the options name.
    func denoised(_ photograph: Photograph, contentsOf file: FileContents) throws -> PixelBuffer {
        let pixels = photograph.pixels
        let seed = options.seed ?? file.withUnsafeBytes { SHA256.hash(data: $0) }.seed
        let sample = pixels.noiseSample
        let pass = try tiledDenoising(
            of: pixels, photograph.metadata.camera, NoiseAssessment(of: sample), sample, file.path, seed: seed)
        return try pass?.run(on: pixels) { _ in } ?? pixels
    }

    /// Whether the output is another file than the photograph's, whatever its samples.
    private func converts(_ photograph: Photograph) -> Bool {
        photograph.format == .raw
            || options.format.encoderFormat(keeping: photograph.format) != .init(keeping: photograph.format)
            || options.bitDepth != nil || options.compression != nil
    }

    /// Bytes that the output has at most: its samples as they are, and what surrounds them.
    private func largestOutput(of photograph: Photograph, _ contents: FileContents) -> Int {
        let pixels = photograph.pixels
        let samples = pixels.width * pixels.height * pixels.channels
        switch options.format.encoderFormat(keeping: photograph.format) {
        case .jpeg: return samples
        case .tiff, .png: return samples * (options.bitDepth ?? pixels.bitDepth) / 8 + contents.count / 64 + 1 << 16
        }
    }

    /// Encodes, syncs and names the output; the hash is of the bytes that were written.
    ///
    /// - Parameter isChanged: if not, and nothing is to be converted, the output is the input byte for byte.
    private func publish(
        _ photograph: Photograph, of source: FileContents, isChanged: Bool, into directory: FilePath
    ) throws -> (path: FilePath, hash: String) {
        let format = options.format.encoderFormat(keeping: photograph.format)
        let file = try StagedFile(directory.appending(options.outputName(of: source.path, format.fileExtension)))
        if isChanged || converts(photograph) {
            try ImageEncoder.encode(
                photograph, format: format, bitDepth: options.bitDepth,
                compressesTIFF: options.compression != OutputCompression.none, to: file)
        } else {
            try file.write(source.bytes)
        }
        var digest = SHA256()
        try file.readBack { digest.update(bufferPointer: $0) }
        return (try file.finish(attempts: 1000), digest.finalize().hexadecimal)
    }
}

extension SHA256.Digest {
    /// The first eight bytes, as the seed of a file's random fields.
    var seed: UInt64 { prefix(8).reduce(0) { $0 << 8 | UInt64($1) } }
}
