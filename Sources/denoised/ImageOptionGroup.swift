import ArgumentParser
import Denoising
import Imaging

extension Preset: ExpressibleByArgument {}
extension Method: ExpressibleByArgument {}
extension OutputFormat: ExpressibleByArgument {}
extension CleanPhotographs: ExpressibleByArgument {}

extension DecodingLimits {
    /// For files that a person named on the command line.
    static let ofNamedFiles = DecodingLimits(followsLinks: true)
}

/// The image options, the same in every command that denoises.
struct ImageOptionGroup: ParsableArguments {
    @Option(help: "balanced: AMSNet-P, 2 passes; best: AMSNet-P-E, 18 passes; fast: one plain pass.")
    var preset: Preset = .best

    @Option(
        help:
            "amsnet: masked passes; plain: one pass of a supervised network or student; zsn2n: learns from the photograph itself, without a model; dbsn: a D-BSN model's posterior mean."
    )
    var method: Method = .amsnet

    @Option(help: "A model's name or file; default: the promoted model of --state, else the shipped one.")
    var model: String?

    @Option(help: "Format of outputs; same: that of the input, TIFF for RAW.")
    var format: OutputFormat = .same

    @Option(help: "8 or 16 bits for each sample; default: as the input, 16 for RAW.")
    var bitDepth: Int?

    @Option(help: "0 keeps the noise, 1 takes all of it away.")
    var strength: Double = 1

    @Option(help: "copy or skip photographs without noise that can be seen; default: copy.")
    var onClean: CleanPhotographs?

    @Option(help: "Largest side of a tile in pixels.")
    var tile: Int?

    @Option(help: "Pixels that neighbouring tiles share.")
    var overlap: Int?

    @Option(help: "Refinement copies T; default: 0 for balanced, 8 for best.")
    var refinements: Int?

    @Option(help: "Seed of the random masks; default: from the file's hash.")
    var seed: UInt64?

    @Option(help: "Worker threads; default: one for each processor.")
    var threads: Int?

    @Option(help: "Name of outputs without extension.")
    var name: String = "{stem}-denoised"

    var options: ImageOptions {
        var options = ImageOptions()
        options.preset = preset
        options.method = method
        options.model = model
        options.format = format
        options.bitDepth = bitDepth
        options.strength = strength
        options.onClean = onClean
        options.tile = tile
        options.overlap = overlap
        options.refinements = refinements
        options.seed = seed
        options.threads = threads
        options.nameTemplate = name
        return options
    }

    func validate() throws {
        do {
            try options.check()
        } catch {
            throw ValidationError(error.description)
        }
    }
}
