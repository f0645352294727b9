/// What becomes of a photograph that needs nothing (product page, "Images").
public enum CleanPhotographs: String, Sendable, CaseIterable, Codable {
    /// Its output is the photograph as it is.
    case copy
    /// It has no output.
    case skip
}

/// A photograph without noise that can be seen, where the options want no copy of such: nothing is written.
public struct NothingToDenoise: Error, Sendable, Equatable, CustomStringConvertible {
    /// In units of 1/255.
    let deviation: Double

    /// Completes "it needs nothing": "no measurable noise (0.08 of 255)".
    static func finding(_ deviation: Double) -> String {
        "it needs nothing: no measurable noise (\((deviation * 100).rounded() / 100) of 255)"
    }

    public var description: String { "\(Self.finding(deviation)), so it was skipped" }
}
