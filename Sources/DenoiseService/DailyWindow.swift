/// A part of every day in local time, as "01:00-05:00"; it may pass midnight.
public struct DailyWindow: Sendable, Equatable, CustomStringConvertible {
    /// Minutes since midnight, 0…1439.
    public var start: Int
    public var end: Int

    public init(start: Int, end: Int) {
        self.start = start
        self.end = end
    }

    /// nil if `text` is no window; one without length is none.
    public init?(_ text: String) {
        guard let match = text.wholeMatch(of: /(\d\d):(\d\d)\s*-\s*(\d\d):(\d\d)/),
            let start = Self.minute(match.1, match.2), let end = Self.minute(match.3, match.4), start != end
        else { return nil }
        self.init(start: start, end: end)
    }

    /// Whether the window is open so many minutes after midnight; its end is not part of it.
    public func contains(minute: Int) -> Bool {
        start < end ? (start..<end).contains(minute) : minute >= start || minute < end
    }

    /// Minutes from one end to the other.
    public var length: Int { (end - start + 1440) % 1440 }

    public var description: String { "\(Self.text(start))-\(Self.text(end))" }

    private static func minute(_ hours: Substring, _ minutes: Substring) -> Int? {
        guard let hours = Int(hours), let minutes = Int(minutes), hours < 24, minutes < 60 else { return nil }
        return hours * 60 + minutes
    }

    private static func text(_ minute: Int) -> String {
        [minute / 60, minute % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
    }
}
