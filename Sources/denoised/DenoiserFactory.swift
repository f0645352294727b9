import Denoising
import Imaging
import Logging
import SystemPackage

/// Makes what denoises photographs from options and the models of a state folder; loads the weights.
struct DenoiserFactory: Sendable {
    /// - Throws: an error whose description is one line for the operator.
    let make: @Sendable (_ options: ImageOptions, _ state: FilePath) throws -> any PhotographDenoising
}

/// The networks of this program; the commands of the service name none themselves.
let denoiserFactory = DenoiserFactory { options, state in
    let decoder = DecoderProcess()
    if !decoder.isConfined() {
        Logger(label: "denoised").warning(
            "this system does not let decoders lock themselves in",
            metadata: ["raw": decoder.confinement == .required ? "refused" : "decoded without walls"])
    }
    return try PhotographDenoiser(
        options: options, state: state, decoder: .inChild(decoder),
        checkpoints: TileCheckpoints(folder: state.appending("checkpoints")))
}
