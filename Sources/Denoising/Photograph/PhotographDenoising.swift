import SystemPackage

/// One photograph in, one photograph out. The service depends on this protocol, so that it can be tested without a
/// network.
public protocol PhotographDenoising: Sendable {
    /// Denoises `photograph` into the folder `directory`, durably: when this returns, the output and its folder entry
    /// are on disk, and an existing file was never overwritten.
    ///
    /// - Parameter progress: called from any thread with the finished fraction, 0…1.
    /// - Throws: an error whose description is one line: what, which file, why, what to do; `NothingToDenoise` for a
    ///   photograph that needs nothing and shall have no output then.
    func denoise(
        _ photograph: FilePath, into directory: FilePath, progress: @escaping @Sendable (Double) -> Void
    ) throws -> DenoisingReport

    /// What photographs are denoised with; `denoise` reports which it was.
    var recipes: DenoisingRecipes { get }
}

/// What is known of a photograph after it was denoised.
public struct DenoisingReport: Sendable, Codable, Equatable {
    public var source: String
    /// SHA-256 of the bytes that were decoded, lowercase hexadecimal.
    public var sourceHash: String
    public var output: String
    public var outputHash: String
    /// What it was denoised with, which its camera decides.
    public var recipe: DenoisingRecipe
    public var width: Int
    public var height: Int
    /// Network passes over every pixel.
    public var passes: Int
    /// Columns × rows of tiles and their side, as "4x3 of 512".
    public var tilePlan: String
    /// What a person should know of this output: that it is the photograph as it was, and why.
    public var remark: String?
    public var camera: String?
    public var lens: String?
    public var iso: Double?
    /// Seconds.
    public var exposure: Double?
    /// By name: `noise_before`, `noise_after` (8-bit units), `noise_correlation`, `colour_drift`, `residual_structure`,
    /// `seconds`, `seconds_decode`, `seconds_network`, `seconds_encode`, `megapixels`, `megapixels_per_second`,
    /// `peak_mib`; with checkpoints `tiles_resumed`, those that an earlier attempt had finished.
    public var metrics: [String: Double]

    public init(
        source: String, sourceHash: String, output: String, outputHash: String, recipe: DenoisingRecipe, width: Int,
        height: Int,
        passes: Int, tilePlan: String, remark: String? = nil, camera: String? = nil, lens: String? = nil,
        iso: Double? = nil,
        exposure: Double? = nil,
        metrics: [String: Double] = [:]
    ) {
        self.source = source
        self.sourceHash = sourceHash
        self.output = output
        self.outputHash = outputHash
        self.recipe = recipe
        self.width = width
        self.height = height
        self.passes = passes
        self.tilePlan = tilePlan
        self.remark = remark
        self.camera = camera
        self.lens = lens
        self.iso = iso
        self.exposure = exposure
        self.metrics = metrics
    }
}
