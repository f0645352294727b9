@testable import DenoiseService
import Denoising
import Foundation
import Logging
import Synchronization
import SystemPackage
import TestSupport
import Testing

@Suite struct FinetuneScheduleTests {
    /// 01:00 to 06:00.
    private func schedule(_ begin: Int = 60, _ end: Int = 360) -> FinetuneSchedule {
        FinetuneSchedule(window: DailyWindow(start: begin, end: end), minimumCaptures: 20)
    }

    /// So many crops of no camera, and those of cameras.
    private func at(
        _ minute: Int, seconds: Int = 0, isBusy: Bool = false, captures: Int = 24, new: Int = 24,
        of cameras: [CaptureCensus.Crop] = []
    ) -> FinetuneSchedule.Situation {
        let crops = (0..<captures).map {
            CaptureCensus.Crop(camera: nil, date: Date(timeIntervalSince1970: $0 < new ? 200 : 0))
        }
        return FinetuneSchedule.Situation(
            now: .seconds(minute * 60 + seconds), minuteOfDay: minute % 1440, isBusy: isBusy,
            captures: CaptureCensus(
                crops: crops + cameras, learned: [.init(camera: nil): Date(timeIntervalSince1970: 100)]))
    }

    /// What is begun.
    private func start(_ minutes: Int, _ camera: Camera? = nil) -> FinetuneSchedule.Action {
        .start(camera: camera, minutes: minutes)
    }

    @Test func learningBeginsWithItsWindow() {
        var schedule = schedule()
        #expect(schedule.update(at(59)) == nil)
        #expect(schedule.update(at(60)) == start(300))
        #expect(schedule.update(at(61)) == nil)
        #expect(schedule.summary == "fitting the model to its captures")
    }

    @Test(arguments: [
        (1380, 120, 1381, 179), (1380, 120, 60, 60), (0, 0, 720, 720), (60, 360, 359, nil), (60, 360, 360, nil),
    ])
    func windowsMayCrossMidnight(_ begin: Int, _ end: Int, _ minute: Int, _ left: Int?) {
        var schedule = schedule(begin, end)
        #expect(schedule.update(at(minute)) == left.map { start($0) })
    }

    @Test func whatIsMissingIsWaitedFor() {
        var schedule = schedule()
        #expect(schedule.update(at(60, captures: 19)) == nil)
        #expect(schedule.update(at(61, captures: 24, new: 5)) == nil)
        #expect(schedule.update(at(62, isBusy: true)) == nil)
        #expect(schedule.update(at(62, seconds: 29)) == nil)
        #expect(schedule.update(at(62, seconds: 30)) == start(298))
    }

    @Test func photographsGoFirst() {
        var schedule = schedule()
        #expect(schedule.update(at(60)) != nil)
        #expect(schedule.update(at(70, isBusy: true)) == .halt)
        #expect(schedule.update(at(71, isBusy: true)) == nil)
        #expect(schedule.summary == "fitting the model waits for photographs")
        #expect(schedule.update(at(71, seconds: 10)) == nil)
        #expect(schedule.update(at(71, seconds: 20, isBusy: true)) == nil)
        #expect(schedule.update(at(71, seconds: 49)) == nil)
        #expect(schedule.update(at(71, seconds: 50)) == .go)
        #expect(schedule.phase == .training)
    }

    @Test(arguments: [false, true]) func theEndOfTheWindowIsTheEnd(isHalted: Bool) {
        var schedule = schedule()
        #expect(schedule.update(at(60)) != nil)
        if isHalted { #expect(schedule.update(at(359, isBusy: true)) == .halt) }
        #expect(schedule.update(at(360, isBusy: isHalted)) == .stop)
        #expect(schedule.update(at(361)) == nil)
        schedule.ended(.interrupted)
        // Unfinished work is continued without anything new to learn.
        #expect(schedule.update(at(1440 + 60, new: 0)) == start(300))
    }

    @Test func unfinishedWorkOnACameraIsContinuedBeforeOthersHaveTheirTurn() throws {
        let camera = try #require(Camera("Canon EOS 5D"))
        let crops = [CaptureCensus.Crop](repeating: .init(camera: camera, date: Date()), count: 20)
        var schedule = schedule()
        #expect(schedule.update(at(60, of: crops)) == start(300, camera))
        #expect(schedule.summary == "fitting the model of canoneos5d to its captures")
        #expect(schedule.update(at(360, of: crops)) == .stop)
        schedule.ended(.interrupted)
        var later = at(1440 + 60, of: crops)
        later.captures.learned = [.init(camera: camera): .distantFuture]
        #expect(schedule.update(later) == start(300, camera))
        schedule.ended(.judged)
        #expect(schedule.update(at(2 * 1440 + 400)) == nil)
        later.now += .seconds(86400)
        #expect(schedule.update(later) == start(300))
        schedule.ended(.interrupted)
        // Its crops were removed: there is nothing to continue.
        #expect(schedule.update(at(3 * 1440 + 60, captures: 19)) == nil)
    }

    @Test func oneModelANightIsEnough() {
        var schedule = schedule()
        #expect(schedule.update(at(60)) != nil)
        schedule.ended(.judged)
        #expect(schedule.update(at(120)) == nil)
        #expect(schedule.update(at(400)) == nil)
        #expect(schedule.update(at(1440 + 60, new: 0)) == nil)
        #expect(schedule.update(at(1440 + 61, new: 6)) == start(299))
    }

    @Test func whatFailsAgainAndAgainIsLeftAlone() {
        var schedule = schedule()
        for _ in 0..<FinetuneSchedule.mostFailures {
            #expect(schedule.update(at(60)) != nil)
            schedule.ended(.failed)
        }
        #expect(schedule.update(at(61)) == nil)
    }

    // MARK: - The service

    /// A trainer that notes what it is told.
    private final class Notes: FinetuneTrainer {
        let told = Mutex<[String]>([])
        let end = Mutex<FinetuneSchedule.End?>(nil)
        func start(camera: Camera?, minutes: Int) throws {
            told.withLock { $0.append("start \(minutes)" + (camera.map { " \($0)" } ?? "")) }
        }
        func halt() { told.withLock { $0.append("halt") } }
        func go() { told.withLock { $0.append("go") } }
        func stop() { told.withLock { $0.append("stop") } }
        func takeEnd() -> FinetuneSchedule.End? {
            end.withLock { end in
                defer { end = nil }
                return end
            }
        }
    }

    /// Seconds since some midnight.
    private final class Clock: Sendable {
        let second = Mutex(23 * 3600)
    }

    /// A whole night with two photographs, second by second on a clock of its own.
    @Test func aNightWithPhotographs() throws {
        try withTemporaryFolder { root in
            let captures = root.appending(path: "captures")
            try FileManager.default.createDirectory(at: captures, withIntermediateDirectories: true)
            for index in 0..<20 { try Data().write(to: captures.appending(path: "k-\(index).png")) }
            let clock = Clock()
            let (notes, progress) = (Notes(), ServiceProgress())
            // At 02:00:00 for ten minutes, at 05:59:50 for one.
            let isBusy: @Sendable () -> Bool = {
                let s = clock.second.withLock { $0 }
                return (26 * 3600..<26 * 3600 + 600).contains(s) || (30 * 3600 - 10..<30 * 3600 + 50).contains(s)
            }
            let service = FinetuneService(
                state: FilePath(root.path), trainer: notes, progress: progress, isBusy: isBusy,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
                time: { .seconds(clock.second.withLock { $0 }) },
                minuteOfDay: { clock.second.withLock { $0 } / 60 % 1440 },
                configuration: Configuration.Finetune(), onJudged: { notes.told.withLock { $0.append("reload") } })
            var schedule = FinetuneSchedule(window: DailyWindow(start: 60, end: 360), minimumCaptures: 20)
            var moments: [Int] = []
            for s in stride(from: 23 * 3600, to: 32 * 3600, by: 1) where s % 60 < 2 || s % 600 > 530 || s < 30 {
                clock.second.withLock { $0 = s }
                let before = notes.told.withLock { $0.count }
                service.step(&schedule)
                if notes.told.withLock({ $0.count }) > before { moments.append(s) }
                if s == 26 * 3600 + 1 {
                    #expect(progress.snapshot.summary(at: .zero).hasSuffix("fitting the model waits for photographs"))
                }
                if s == 31 * 3600 { notes.end.withLock { $0 = .interrupted } }
            }
            #expect(notes.told.withLock { $0 } == ["start 300", "halt", "go", "halt", "stop"])
            #expect(moments.first == 25 * 3600)
            #expect(moments.dropFirst().first == 26 * 3600)
            #expect(moments.last == 30 * 3600)
            #expect(schedule.phase == .waiting)
            #expect(progress.snapshot.background == nil)
            // The model in use may be another one when a candidate was judged, and only then.
            notes.end.withLock { $0 = .judged }
            service.step(&schedule)
            #expect(notes.told.withLock { $0.last } == "reload")
        }
    }
}
