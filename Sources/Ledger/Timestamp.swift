import Foundation

/// Moments as the ledger stores them: UTC, ISO 8601 with milliseconds, so that text order is time order and
/// SQLite's own date functions read them.
enum Timestamp {
    private static let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

    static func text(_ date: Date) -> String { date.formatted(style) }

    static func date(_ text: String) -> Date? { try? Date(text, strategy: style) }
}
