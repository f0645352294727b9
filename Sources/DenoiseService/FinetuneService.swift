import Denoising
import Foundation
import Logging
import ServiceLifecycle
import SystemPackage

/// Asks the schedule once a second, and does what it says.
struct FinetuneService: Service {
    let state: FilePath
    let trainer: any FinetuneTrainer
    let progress: ServiceProgress
    /// Whether a photograph is in work or waits.
    let isBusy: @Sendable () -> Bool
    let logger: Logger
    let time: MonotonicTime
    /// Minutes since midnight.
    let minuteOfDay: @Sendable () -> Int

    static let localMinuteOfDay: @Sendable () -> Int = {
        let parts = Calendar.current.dateComponents([.hour, .minute], from: Date())
        return (parts.hour ?? 0) * 60 + (parts.minute ?? 0)
    }

    let configuration: Configuration.Finetune
    /// Called after a candidate was judged: another model may hold from now on.
    let onJudged: @Sendable () -> Void

    func run() async throws {
        var schedule = FinetuneSchedule(
            window: configuration.schedule, minimumCaptures: configuration.minimumCaptures)
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            step(&schedule)
            try? await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(1)) }
        }
        trainer.stop()
    }

    /// One look at the situation.
    func step(_ schedule: inout FinetuneSchedule) {
        if let end = trainer.takeEnd() {
            schedule.ended(end)
            logger.info("fine-tuning ended", metadata: ["finetune.end": "\(end)"])
            if end == .judged { onJudged() }
        }
        let action = schedule.update(
            FinetuneSchedule.Situation(
                now: time(), minuteOfDay: minuteOfDay(), isBusy: isBusy(),
                captures: CaptureFolder(state: state).census))
        perform(action, &schedule)
        // An update is a sign of life to the watchdog, and this is not the work that it watches.
        if progress.snapshot.background != schedule.summary {
            progress.update { $0.background = schedule.summary }
        }
    }

    private func perform(_ action: FinetuneSchedule.Action?, _ schedule: inout FinetuneSchedule) {
        switch action {
        case nil: return
        case .start(let camera, let minutes):
            do {
                try trainer.start(camera: camera, minutes: minutes)
                var about: Logger.Metadata = ["finetune.minutes": "\(minutes)"]
                if let camera { about["finetune.camera"] = "\(camera)" }
                logger.info("fine-tuning started", metadata: about)
            } catch {
                schedule.ended(.failed)
                logger.error("fine-tuning cannot be started", metadata: ["error": "\(error)"])
            }
        case .halt:
            trainer.halt()
            logger.info("fine-tuning halted for photographs")
        case .go:
            trainer.go()
            logger.info("fine-tuning goes on")
        case .stop:
            trainer.stop()
            logger.info("fine-tuning is told to stop: its window has closed")
        }
    }
}
