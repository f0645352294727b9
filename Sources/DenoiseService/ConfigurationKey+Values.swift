import SystemPackage

/// How the texts of a configuration become values.
extension ConfigurationKey {
    static func path(_ text: String) throws -> FilePath {
        let path = FilePath(text)
        guard path.isAbsolute else {
            throw ValueError(cause: "\"\(text)\" is not an absolute path", remedy: "begin it with /")
        }
        return path.lexicallyNormalized()
    }

    static func boolean(_ text: String) throws -> Bool {
        switch text.lowercased() {
        case "true", "yes", "on": true
        case "false", "no", "off": false
        default: throw ValueError(cause: "\"\(text)\" is neither true nor false", remedy: "write true or false")
        }
    }

    static func choice<Value: RawRepresentable & CaseIterable>(
        _ text: String
    ) throws -> Value where Value.RawValue == String {
        guard let value = Value(rawValue: text) else {
            let names = Value.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValueError(cause: "\"\(text)\" is not known", remedy: "write one of \(names)")
        }
        return value
    }

    static func integer(
        _ text: String, in range: ClosedRange<Int>, allowed: [Int]? = nil
    ) throws -> Int {
        guard let value = Int(text), range.contains(value), allowed?.contains(value) ?? true else {
            let choices = allowed?.map(String.init).joined(separator: " or ")
            throw ValueError(
                cause: "\"\(text)\" is not allowed",
                remedy: "write \(choices ?? "a whole number from \(range.lowerBound) to \(range.upperBound)")")
        }
        return value
    }

    static func seed(_ text: String) throws -> UInt64 {
        guard let value = UInt64(text) else {
            throw ValueError(cause: "\"\(text)\" is not a seed", remedy: "write a whole number from 0")
        }
        return value
    }

    static func fraction(_ text: String) throws -> Double {
        guard let value = Double(text), (0...1).contains(value) else {
            throw ValueError(cause: "\"\(text)\" is not between 0 and 1", remedy: "write a number such as 0.8")
        }
        return value
    }

    static func number(_ text: String, in range: ClosedRange<Double>) throws -> Double {
        guard let value = Double(text), range.contains(value) else {
            throw ValueError(
                cause: "\"\(text)\" is not allowed",
                remedy: "write a number from \(Self.text(range.lowerBound)) to \(Self.text(range.upperBound))")
        }
        return value
    }

    static func window(_ text: String) throws -> DailyWindow {
        guard let window = DailyWindow(text) else {
            throw ValueError(cause: "\"\(text)\" is no part of a day", remedy: "write two times, as 01:00-05:00")
        }
        return window
    }

    static func template(_ text: String) throws -> String {
        guard text.contains("{stem}"), !text.contains("/"), !text.contains("\0") else {
            throw ValueError(
                cause: "\"\(text)\" is no template for names", remedy: "include {stem} and no slash, as {stem}-denoised"
            )
        }
        return text
    }

    /// "5s", "300 s", "250ms", "2m", "1h", "7d" or seconds as a plain number.
    static func duration(_ text: String, minimum: Duration = .zero) throws -> Duration {
        let units: [(suffix: String, seconds: Double)] = [
            ("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600), ("d", 86400), ("w", 604_800), ("", 1),
        ]
        for unit in units where text.hasSuffix(unit.suffix) {
            let number = text.dropLast(unit.suffix.count).replacing(" ", with: "")
            // 100 years: beyond that a duration is a slip of the pen.
            guard let value = Double(number), (0...3_153_600_000).contains(value * unit.seconds) else { break }
            let duration = Duration.seconds(value * unit.seconds)
            guard duration >= minimum else {
                throw ValueError(cause: "\"\(text)\" is too short", remedy: "write \(Self.text(minimum)) or more")
            }
            return duration
        }
        throw ValueError(cause: "\"\(text)\" is not a time", remedy: "write a number and a unit, as 5s, 2m or 1h")
    }

    /// "500MB", "1GiB" or bytes as a plain number.
    static func bytes(_ text: String, minimum: Int64 = 0) throws -> Int64 {
        let units: [(suffix: String, bytes: Double)] = [
            ("KiB", 1024), ("MiB", 1_048_576), ("GiB", 1_073_741_824), ("TiB", 1_099_511_627_776),
            ("kB", 1e3), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12), ("B", 1), ("", 1),
        ]
        for unit in units where text.hasSuffix(unit.suffix) {
            let number = text.dropLast(unit.suffix.count).replacing(" ", with: "")
            guard let value = Double(number), (0...1e18).contains(value * unit.bytes) else { break }
            guard Int64(value * unit.bytes) >= minimum else {
                throw ValueError(cause: "\"\(text)\" is too little", remedy: "write \(Self.text(minimum)) or more")
            }
            return Int64(value * unit.bytes)
        }
        throw ValueError(cause: "\"\(text)\" is not a size", remedy: "write a number and a unit, as 500MB or 1GiB")
    }
}

/// How values become texts that read as the same values.
extension ConfigurationKey {
    /// "90s", "5m", "7d", "0.25s": the largest unit that leaves a whole number.
    static func text(_ duration: Duration) -> String {
        let seconds = duration / .seconds(1)
        for (suffix, length) in [("d", 86400.0), ("h", 3600), ("m", 60)]
        where seconds >= 2 * length && seconds.truncatingRemainder(dividingBy: length) == 0 {
            return text(seconds / length) + suffix
        }
        return text(seconds) + "s"
    }

    /// "1GiB", "512MiB", or the number of bytes.
    static func text(_ bytes: Int64) -> String {
        for (suffix, length) in [("TiB", Int64(1) << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]
        where bytes > 0 && bytes % length == 0 {
            return "\(bytes / length)\(suffix)"
        }
        return "\(bytes)"
    }

    /// Whole numbers without a fraction.
    static func text(_ number: Double) -> String { Int64(exactly: number).map { "\($0)" } ?? "\(number)" }
}

/// Reads a span of time as configuration and flags write it: "5s", "30m", "7d", or seconds as a plain number.
public func parseDuration(_ text: String) -> Duration? {
    try? ConfigurationKey.duration(text)
}
