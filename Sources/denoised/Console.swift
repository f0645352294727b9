import Foundation
import Glibc
import Synchronization

/// What a person at a terminal sees.
enum Console {
    /// One line on standard error; where it cannot be written, as on a full disk, the work goes on without.
    static func error(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data("\(text)\n".utf8))
    }

    /// One JSON object on one line of standard output, keys sorted.
    static func json(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try FileHandle.standardOutput.write(contentsOf: encoder.encode(value) + Data("\n".utf8))
    }

    /// "1 h 05 min", "4 min", "12 s".
    static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite else { return "?" }
        let whole = Int(max(0, seconds).rounded(.up))
        if whole >= 3600 { return "\(whole / 3600) h \(String(format: "%02d", whole % 3600 / 60)) min" }
        return whole >= 100 ? "\((whole + 59) / 60) min" : "\(whole) s"
    }
}

/// A line with percentage and time left: redrawn on a terminal; elsewhere a new one every tenth, and not more often
/// than every few seconds, so that short work says nothing.
final class ProgressLine: Sendable {
    private let label: String
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let start = ContinuousClock.now
    private let shown: Mutex<(percent: Int, at: ContinuousClock.Instant)>
    /// Between two lines where there is no terminal.
    private static let pause = Duration.seconds(5)

    init(_ label: String) {
        self.label = label
        shown = Mutex((-1, start))
        if isTerminal { draw(label) }
    }

    /// - Parameter fraction: finished share, 0…1; calls may come from any thread and in any order.
    func update(_ fraction: Double) {
        let percent = Int(fraction * 100)
        let now = ContinuousClock.now
        let isNews = shown.withLock { shown in
            guard
                isTerminal ? percent > shown.percent : percent / 10 > shown.percent / 10 && now - shown.at >= Self.pause
            else { return false }
            shown = (percent, now)
            return true
        }
        // What is finished is said by the line of its result.
        guard isNews, fraction > 0, fraction < 1 else { return }
        let left = (now - start) / .seconds(1) * (1 - fraction) / fraction
        draw("\(label): \(percent) %, \(Console.duration(left)) left")
    }

    /// Clears the line on a terminal.
    func finish() {
        if isTerminal { try? FileHandle.standardError.write(contentsOf: Data("\r\u{1B}[K".utf8)) }
    }

    private func draw(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data((isTerminal ? "\r\u{1B}[K\(text)" : "\(text)\n").utf8))
    }
}
