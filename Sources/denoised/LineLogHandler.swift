import Foundation
import Logging

/// One line on standard error for each event, as "2026-01-31T10:00:00Z info: photograph done photograph.id=4".
///
/// The time is left out where the journal adds its own.
struct LineLogHandler: LogHandler {
    var logLevel = Logger.Level.info
    var metadata: Logger.Metadata = [:]

    /// systemd sets it for what is connected to the journal.
    private let isJournal = ProcessInfo.processInfo.environment["JOURNAL_STREAM"] != nil

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var facts = metadata.merging(event.metadata ?? [:]) { $1 }
        if let error = event.error { facts["error"] = "\(error)" }
        let details = facts.sorted { $0.key < $1.key }.map { " \($0.key)=\(Self.quoted("\($0.value)"))" }.joined()
        let time = isJournal ? "" : Date.now.formatted(.iso8601) + " "
        Console.error("\(time)\(event.level): \(event.message)\(details)")
    }

    /// Values of several words stand in quotation marks, so that a line can be taken apart again.
    private static func quoted(_ value: String) -> String {
        let isWord = !value.isEmpty && !value.contains { $0.isWhitespace || $0 == "\"" }
        return isWord ? value : JSONText.text(value).line
    }
}
