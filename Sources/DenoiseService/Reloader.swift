import Denoising
import Logging
import ServiceLifecycle
import UnixSignals

/// Reads the configuration and the promoted models again, on SIGHUP and when fine-tuning was judged. Whatever is wrong
/// with it, the service goes on with the old one and says so.
struct Reloader: Service {
    let live: LiveSettings
    let manager: ServiceManager
    let progress: ServiceProgress
    let logger: Logger
    let reload: Daemon.Reload?
    /// Called after the settings were replaced.
    let onReload: @Sendable () -> Void

    func run() async throws {
        let signals = await UnixSignalsSequence(trapping: .sighup)
        for await _ in signals.cancelOnGracefulShutdown() { perform() }
    }

    /// One reload; between RELOADING and READY the service works as before.
    func perform() {
        manager.reloading()
        defer { manager.ready() }
        let current = live.current.configuration
        do {
            guard let (configuration, denoiser) = try reload?(current),
                configuration != current || denoiser.recipes != live.current.denoiser.recipes
            else {
                progress.warn("configuration", nil)
                return logger.notice("configuration unchanged")
            }
            try configuration.validate()
            guard configuration.state == current.state else {
                throw ServiceError(
                    .badConfiguration, subject: "state.dir", cause: "it cannot change while the service runs",
                    remedy: "restart the service")
            }
            let settings = Settings(configuration, denoiser: denoiser)
            if settings.output.path != live.current.output.path { try settings.output.prepare() }
            live.replace(settings)
            progress.warn("configuration", nil)
            logger.notice("configuration reloaded", metadata: denoiser.modelFacts)
            onReload()
        } catch {
            progress.warn("configuration", "the old configuration stays: \(error)")
        }
    }
}

extension PhotographDenoising {
    /// For the log: the model in use, and those of cameras that have one of their own.
    var modelFacts: Logger.Metadata {
        var facts: Logger.Metadata = ["model.name": "\(printable(recipes.general.modelName))"]
        for (camera, recipe) in recipes.ofCameras { facts["model.\(camera)"] = "\(printable(recipe.modelName))" }
        return facts
    }
}
