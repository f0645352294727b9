import Denoising

/// When the daemon fits a model to what it has seen, and which: a state machine that knows no process and no clock.
///
/// Photographs go first. The trainer is halted the moment one waits, and goes on when the queue has been empty for a
/// while; outside the window of the day it is told to stop, and the next window continues its work.
public struct FinetuneSchedule: Sendable, Equatable {
    /// What the machine is told, once a second or so.
    public struct Situation: Sendable, Equatable {
        /// Never jumps.
        public var now: Duration
        /// Minutes since midnight by the wall clock, 0..<1440.
        public var minuteOfDay: Int
        /// Whether a photograph is in work or waits.
        public var isBusy: Bool
        /// What is kept to learn from.
        public var captures: CaptureCensus

        public init(now: Duration, minuteOfDay: Int, isBusy: Bool, captures: CaptureCensus) {
            self.now = now
            self.minuteOfDay = minuteOfDay
            self.isBusy = isBusy
            self.captures = captures
        }
    }

    /// What is to be done with the trainer.
    public enum Action: Sendable, Equatable {
        /// A model of this camera, or the general one, for so many minutes at most.
        case start(camera: Camera?, minutes: Int)
        case halt
        case go
        case stop
    }

    /// What the trainer is doing.
    public enum Phase: Sendable, Equatable {
        case waiting
        case training
        case halted
        case stopping
    }

    /// How a trainer ended.
    public enum End: Sendable, Equatable {
        /// Its model was judged, whatever came of it.
        case judged
        /// Told to stop; the next one continues its work.
        case interrupted
        case failed
    }

    public private(set) var phase = Phase.waiting
    private let window: Range<Int>
    private let minimumCaptures: Int
    /// Whose model is in work, or is to be continued.
    private var turn: CaptureCensus.Turn?
    private var lastBusy: Duration?
    /// Not again before the window has closed: one model a night.
    private var isDoneForToday = false
    private var failures = 0

    /// How long the queue must have been empty.
    static let quiet = Duration.seconds(30)
    /// A trainer that fails so often in a row is left alone until the daemon starts again.
    static let mostFailures = 3
    /// Shorter windows are not worth beginning in.
    static let shortest = 5

    /// - Parameters:
    ///   - window: the part of the day.
    ///   - minimumCaptures: kept captures that a training needs.
    public init(window: DailyWindow, minimumCaptures: Int) {
        let length = (window.end - window.start + 1440 - 1) % 1440 + 1
        self.window = window.start..<window.start + length
        self.minimumCaptures = minimumCaptures
    }

    /// Minutes until the window closes; nil outside of it.
    func minutesLeft(at minuteOfDay: Int) -> Int? {
        [minuteOfDay, minuteOfDay + 1440].first(where: window.contains).map { window.upperBound - $0 }
    }

    /// Takes note of the situation; what is to be done at once, if anything.
    public mutating func update(_ situation: Situation) -> Action? {
        if situation.isBusy { lastBusy = situation.now }
        let left = minutesLeft(at: situation.minuteOfDay)
        if left == nil { isDoneForToday = false }
        let isQuiet = !situation.isBusy && lastBusy.map { situation.now - $0 >= Self.quiet } ?? true
        switch phase {
        case .waiting:
            guard let left, left >= Self.shortest, isQuiet, !isDoneForToday, failures < Self.mostFailures,
                let next = turn(in: situation.captures)
            else { return nil }
            turn = next
            phase = .training
            return .start(camera: next.camera, minutes: left)
        case .training:
            if left == nil {
                phase = .stopping
                return .stop
            }
            guard situation.isBusy else { return nil }
            phase = .halted
            return .halt
        case .halted:
            if left == nil {
                phase = .stopping
                return .stop
            }
            guard isQuiet else { return nil }
            phase = .training
            return .go
        case .stopping: return nil
        }
    }

    /// Unfinished work is continued without anything new to learn.
    private func turn(in captures: CaptureCensus) -> CaptureCensus.Turn? {
        if let turn, captures.count(for: turn) >= minimumCaptures { return turn }
        return captures.turn(atLeast: minimumCaptures)
    }

    /// The trainer is gone.
    public mutating func ended(_ end: End) {
        phase = .waiting
        if end != .interrupted { turn = nil }
        isDoneForToday = end == .judged
        failures = end == .failed ? failures + 1 : 0
    }

    /// One line for STATUS; nil where there is nothing to say.
    public var summary: String? {
        let model = turn?.camera.map { "the model of \($0)" } ?? "the model"
        return switch phase {
        case .waiting: nil
        case .training: "fitting \(model) to its captures"
        case .halted: "fitting \(model) waits for photographs"
        case .stopping: "fitting \(model) stops"
        }
    }
}
