import Denoising
import Ledger
import Synchronization

/// What the service works with: a reload replaces all of it at once.
struct Settings: Sendable {
    var configuration: Configuration
    var denoiser: any PhotographDenoising
    var output: OutputFolder

    init(_ configuration: Configuration, denoiser: any PhotographDenoising) {
        self.configuration = configuration
        self.denoiser = denoiser
        output = OutputFolder(configuration.output.directory ?? configuration.state, state: configuration.state)
    }

    var retryPolicy: RetryPolicy {
        RetryPolicy(
            maximumAttempts: configuration.limits.maximumAttempts, backoff: configuration.limits.retryBackoff)
    }

    /// How a failure of this kind is tried again; nil if it is not.
    func retryPolicy(of kind: Failure.Kind) -> RetryPolicy? {
        var policy = retryPolicy
        switch kind {
        case .transient: break
        case .twice: policy.maximumAttempts = min(2, policy.maximumAttempts)
        default: return nil
        }
        return policy
    }

    /// As the ledger keeps it.
    func recipe(_ recipe: DenoisingRecipe) -> Recipe {
        Recipe(
            hash: recipe.hash, modelName: recipe.modelName, modelHash: recipe.modelHash,
            preset: configuration.image.preset.rawValue)
    }
}

/// The settings that hold now. Who works with them takes them once for each photograph or round.
final class LiveSettings: Sendable {
    private let settings: Mutex<(value: Settings, generation: Int)>

    init(_ settings: Settings) {
        self.settings = Mutex((settings, 0))
    }

    var current: Settings { settings.withLock { $0.value } }
    /// Grows with every reload.
    var generation: Int { settings.withLock { $0.generation } }

    func replace(_ settings: Settings) {
        self.settings.withLock { $0 = (settings, $0.generation + 1) }
    }
}
