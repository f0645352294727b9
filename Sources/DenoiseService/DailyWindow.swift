/// A part of every day, in minutes since midnight; an end at or before the start lies in the next day.
public struct DailyWindow: Sendable, Equatable {
    public var start: Int
    public var end: Int

    public init(start: Int, end: Int) {
        self.start = start
        self.end = end
    }
}
