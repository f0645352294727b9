import DenoiseService
import Foundation

/// Columns of text for people; numbers stand to the right.
struct Table {
    struct Column {
        var title: String
        var isNumber = false
    }

    var columns: [Column]
    var rows: [[String]] = []

    /// The lines of the table, its titles first.
    var lines: [String] {
        let cells = [columns.map(\.title)] + rows.map { $0.map(printable) }
        let widths = columns.indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
        return cells.map { row in
            let padded = columns.indices.map { column in
                let padding = String(repeating: " ", count: widths[column] - row[column].count)
                return columns[column].isNumber ? padding + row[column] : row[column] + padding
            }
            return padded.joined(separator: "  ").replacing(/\ +$/, with: "")
        }
    }
}

/// Names and values, the values in one column.
func factLines(_ facts: [(name: String, value: String)]) -> [String] {
    let width = (facts.map(\.name.count).max() ?? 0) + 2
    return facts.map { fact in
        printable(fact.name) + String(repeating: " ", count: width - fact.name.count) + printable(fact.value)
    }
}

/// "1/230 s" for short exposures, "2.5 s" for long ones.
func exposureTime(_ seconds: Double) -> String {
    if seconds > 0, seconds < 0.4 { return "1/\(Int((1 / seconds).rounded())) s" }
    return String(format: "%g s", seconds)
}

/// `value` with so many digits after the point; "-" where it is not known.
func decimal(_ value: Double?, digits: Int = 1) -> String {
    value.map { String(format: "%.\(digits)f", $0) } ?? "-"
}

/// "4.1 → 0.9"; "-" where the noise before is not known.
func noiseChange(_ before: Double?, _ after: Double?) -> String {
    before.map { "\(decimal($0)) → \(decimal(after))" } ?? "-"
}

/// A field of a CSV line (RFC 4180).
func commaSeparated(_ fields: [String]) -> String {
    fields.map { field in
        field.contains { ",\"\r\n".contains($0) } || field.unicodeScalars.contains { $0 == "\r" || $0 == "\n" }
            ? "\"" + field.replacing("\"", with: "\"\"") + "\"" : field
    }.joined(separator: ",")
}
