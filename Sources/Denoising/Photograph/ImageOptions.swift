/// How much work a photograph is worth (product page, presets).
public enum Preset: String, Sendable, CaseIterable, Codable {
    /// One plain pass of a model that was taught with nothing hidden as well; as `balanced` with others.
    case fast
    /// AMSNet-P: one pass for each of the two masks.
    case balanced
    /// AMSNet-P-E: `balanced` and T = 8 refinements, 18 passes.
    case best
}

/// How a photograph is denoised.
public enum Method: String, Sendable, CaseIterable, Codable {
    /// A network that does not see the pixels that it computes, in masked passes.
    case amsnet
    /// One pass of a supervised network or a student.
    case plain
    /// A small network that learns from the photograph itself; needs no model.
    case zsn2n
    /// A blind-spot network's mean and the noisy pixel, weighted by their variances.
    case dbsn
}

/// The file format of an output.
public enum OutputFormat: String, Sendable, CaseIterable, Codable {
    /// The input's own format; TIFF for RAW.
    case same
    case tiff, png, jpeg
}

/// How the pixels of a TIFF are packed; neither loses any.
public enum OutputCompression: String, Sendable, CaseIterable, Codable {
    case deflate, none
}

/// Everything that decides how one photograph is denoised: part of the recipe that the ledger keys on.
public struct ImageOptions: Sendable, Equatable, Codable {
    public var preset: Preset = .best
    public var method: Method = .amsnet
    /// A model file, or the name of a model in the state folder; nil: the promoted model, else the one in the package.
    public var model: String?
    public var format: OutputFormat = .same
    /// 8 or 16; nil keeps the input's depth (16 for RAW).
    public var bitDepth: Int?
    /// Of TIFF only; nil is deflate. Recipes of earlier versions do not have it, so it stays absent where it is not
    /// set.
    public var compression: OutputCompression?
    /// Of photographs that need nothing; nil copies them. Absent from recipes where it is not set, as `compression`.
    public var onClean: CleanPhotographs?
    /// 0 keeps the input, 1 is fully denoised.
    public var strength: Double = 1
    /// Side of a tile in pixels; nil lets the network choose.
    public var tile: Int?
    /// Pixels shared by neighbouring tiles; nil lets the network choose.
    public var overlap: Int?
    /// Refinement copies T; nil follows the preset.
    public var refinements: Int?
    /// Seed of masks and replacements; nil derives it from the file's hash.
    public var seed: UInt64?
    /// Worker threads; nil uses every core.
    public var threads: Int?
    /// Name of the output without extension; `{stem}` is the input's name without extension.
    public var nameTemplate: String = "{stem}-denoised"

    public init() {}
}
