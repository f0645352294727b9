import DenoiseService
import Denoising
import Imaging
import Logging
import SystemPackage

/// Makes what denoises photographs from the configuration and the models of its state folder; loads the weights.
struct DenoiserFactory: Sendable {
    /// - Throws: an error whose description is one line for the operator.
    let make: @Sendable (_ configuration: Configuration) throws -> any PhotographDenoising
}

/// The networks of this program; the commands of the service name none themselves.
let denoiserFactory = DenoiserFactory { configuration in
    let decoder = DecoderProcess(confinement: configuration.decoder.confinement)
    if !decoder.isConfined() {
        Logger(label: "denoised").warning(
            "this system does not let decoders lock themselves in",
            metadata: ["raw": decoder.confinement == .required ? "refused" : "decoded without walls"])
    }
    var denoiser = try PhotographDenoiser(
        options: configuration.image, state: configuration.state, limits: DecodingLimits(configuration.limits),
        decoder: .inChild(decoder),
        checkpoints: TileCheckpoints(folder: configuration.state.appending("checkpoints")))
    if configuration.finetune.isEnabled { denoiser.captures = CaptureFolder(state: configuration.state) }
    return denoiser
}

extension DecodingLimits {
    init(_ limits: Configuration.Limits) {
        self.init(megapixels: limits.megapixels, sampleBytes: limits.memory.map { Int($0) })
    }
}
