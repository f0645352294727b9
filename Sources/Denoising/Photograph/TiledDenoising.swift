import Imaging
import Methods
import Networks
import Synchronization
import SystemPackage
import Tensors

/// One run of a method over all tiles of a photograph.
struct TiledDenoising: Sendable {
    /// Largest tile side unless the options name one, at most 512 and at least 256 (spec F.3: statistics of training
    /// and of the published numbers). In between, a tile's working memory stays below 768 MiB, so that two tiles at
    /// once leave room for the photograph.
    static func defaultTile(for requirements: TileRequirements) -> Int {
        let pixels = Double(768 << 20) / Double(max(requirements.bytesPerPixel, 1))
        return max(256, min(512, Int(pixels.squareRoot())))
    }

    /// The photograph's name, for errors.
    private let file: String
    private let method: any TileDenoiser
    private let grid: TileGrid
    private let threads: Int
    private let strength: Float
    /// Nil where the noise is unknown.
    private let detailReturn: DetailReturn?
    /// Nil for networks that are to show what they do themselves.
    private let secondOpinion: SecondOpinion?

    /// - Parameter noiseSample: of `pixels`, which callers measure too.
    /// - Throws: `TilePlanError` for tiles and overlaps that cannot work together.
    init(
        _ options: ImageOptions, _ model: Model?, _ pixels: PixelBuffer, _ noise: NoiseAssessment,
        noiseSample: PlanarImage, of path: FilePath, seed: UInt64
    ) throws {
        let method = try options.method(with: model).denoiser(
            options, model, noise, noiseSample: noiseSample, seed: seed)
        // Published weights do what their paper says.
        let wantsSecondOpinion = options.method == .amsnet && model?.isTaughtPlain == true
        try self.init(
            method, options, pixels, noiseSample: noiseSample,
            secondOpinion: wantsSecondOpinion ? SecondOpinion(noise: noise) : nil, of: path)
    }

    init(
        _ method: any TileDenoiser, _ options: ImageOptions, _ pixels: PixelBuffer, noiseSample: PlanarImage,
        secondOpinion: SecondOpinion? = nil, of path: FilePath
    ) throws {
        file = ImagingError.display(path)
        self.method = method
        // A network that was asked for by its method shows what it does; presets promise to keep detail.
        self.secondOpinion = secondOpinion
        detailReturn = options.method == .amsnet ? NoiseProfile(of: noiseSample).map { DetailReturn(noise: $0) } : nil
        grid = try TileGrid(
            width: pixels.width, height: pixels.height,
            tile: max(options.tile ?? Self.defaultTile(for: method.network.tiling), method.alignment),
            overlap: options.overlap ?? method.overlap, alignment: method.alignment)
        // Fewer workers give the same bytes. Beside them there are the output and the row of tiles that is being
        // joined.
        let row = 2 * pixels.width * grid.tileHeight * pixels.colourChannels * MemoryLayout<Float>.stride
        threads = try MemoryBudget.current.workers(
            atMost: options.threads ?? processorCount,
            bytes: grid.tileWidth * grid.tileHeight * method.network.tiling.bytesPerPixel,
            beside: pixels.width * pixels.height * pixels.channels * pixels.bitDepth / 8 + row, file: file)
        strength = Float(options.strength)
    }

    /// Network passes over every pixel.
    var passes: Int { method.passes }

    /// Of pixel downsampling.
    var stride: Int { method.stride }

    /// "4x3 of 512x480": columns, rows, width and height of the tiles.
    var plan: String { "\(grid.columns)x\(grid.rows) of \(grid.tileWidth)x\(grid.tileHeight)" }

    /// The denoised photograph; extra channels keep every bit.
    ///
    /// Memory beside input and output is one row of tiles and the tiles in work.
    ///
    /// - Parameter log: gives and gets finished tiles.
    func run(
        on source: PixelBuffer, log: TileLog? = nil, progress: @escaping @Sendable (Double) -> Void
    ) throws -> PixelBuffer {
        let preparing = method.preparationShare(ofPixels: source.width * source.height)
        let method = try prepared(for: source) { progress(preparing * $0) }
        let work = Mutex(Work(stitcher: Stitcher(grid: grid, channels: source.colourChannels), output: source))
        _ = try parallelMap(grid.count, threads: threads) { index in
            let denoised = try log?.tile(index) ?? denoise(index, of: source, with: method, log)
            let finished = work.withLock { work in
                work.add(denoised, of: index)
                return work.stitcher.next
            }
            progress(preparing + (1 - preparing) * Double(finished) / Double(grid.count))
        }
        return work.withLock { $0.output }
    }

    /// The tiles that an earlier run on the same photograph finished, and the place for those of this one; nil for a
    /// photograph of one tile.
    ///
    /// - Parameter identity: of the photograph and the recipe.
    func log(_ checkpoints: TileCheckpoints, identity: String, channels: Int) -> TileLog? {
        guard grid.count > 1 else { return nil }
        return TileLog(
            checkpoints, identity: "\(identity)\n\(plan)", tiles: grid.count,
            of: (grid.tileWidth, grid.tileHeight, channels))
    }

    private func prepared(
        for source: PixelBuffer, progress: @Sendable (Double) -> Void
    ) throws -> any TileDenoiser {
        do {
            return try method.prepared(
                for: source.tensors(channels: method.channels), threads: threads, progress: progress)
        } catch let error as ZeroShotError {
            throw PreparationError(file: file, cause: error)
        }
    }

    /// What tiles are joined into.
    private struct Work {
        var stitcher: Stitcher
        var output: PixelBuffer

        mutating func add(_ tile: PlanarImage, of index: Int) {
            stitcher.add(tile, of: index) { (band: Stitcher.Band) in
                output.write(band.pixels, row: band.row, column: 0)
            }
        }
    }

    private func denoise(
        _ index: Int, of source: PixelBuffer, with method: any TileDenoiser, _ log: TileLog?
    ) throws -> PlanarImage {
        let tile = grid[index]
        let denoised = try denoise(
            source.planar(inside: tile), at: tile, with: method, passThreads: grid.count == 1 ? threads : 1)
        log?.keep(denoised, as: index)
        return denoised
    }

    /// - Parameter noisy: the part of the tile that lies in the photograph.
    /// - Returns: the whole tile, 0 where it reaches beyond the photograph.
    private func denoise(
        _ noisy: PlanarImage, at tile: Tile, with method: any TileDenoiser, passThreads: Int
    ) throws -> PlanarImage {
        let output = try method.denoise(
            Tensor(noisy, channels: method.channels), row: tile.y, column: tile.x, threads: passThreads)
        guard output.isFinite else { throw NonFiniteOutput(file: file) }
        var denoised = output.planarImage(channels: noisy.channels)
        detailReturn?.apply(to: &denoised, noisy: noisy)
        if let secondOpinion {
            denoised = try secondOpinion.joined(denoised, noisy: noisy, threads: passThreads)
        }
        if strength < 1 { denoised.blend(noisy, share: 1 - strength) }
        return denoised.cropped(to: Tile(x: 0, y: 0, width: tile.width, height: tile.height))
    }
}
