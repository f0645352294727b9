import Denoising
import SystemPackage

/// Makes what denoises photographs from options and the models of a state folder; loads the weights.
struct DenoiserFactory: Sendable {
    /// - Throws: an error whose description is one line for the operator.
    let make:
        @Sendable (_ options: ImageOptions, _ state: FilePath, _ keepsCaptures: Bool) throws -> any PhotographDenoising
}

/// The networks of this program; the commands of the service name none themselves.
let denoiserFactory = DenoiserFactory { options, state, keepsCaptures in
    var denoiser = try PhotographDenoiser(options: options, state: state)
    if keepsCaptures { denoiser.captures = CaptureFolder(state: state) }
    return denoiser
}
