import Denoising
import SystemPackage

/// Makes what denoises photographs from options and the models of a state folder; loads the weights.
struct DenoiserFactory: Sendable {
    /// - Throws: an error whose description is one line for the operator.
    let make: @Sendable (_ options: ImageOptions, _ state: FilePath) throws -> any PhotographDenoising
}

/// The networks of this program; the commands of the service name none themselves.
let denoiserFactory = DenoiserFactory { options, state in
    try PhotographDenoiser(options: options, state: state)
}
