import Foundation

/// Losses over the steps of a training as a picture: blue what was learned from, orange what was not.
struct LossCurve {
    let lines: [TrainingLog.Line]

    private static let (width, height, margin) = (720.0, 360.0, 56.0)

    /// An SVG document; the vertical axis is logarithmic.
    var svg: String {
        let learned = lines.map { (Double($0.step), $0.loss) }.filter { $0.1 > 0 && $0.1.isFinite }
        let judged = lines.compactMap { line in line.validation.map { (Double(line.step), $0) } }
            .filter { $0.1 > 0 && $0.1.isFinite }
        let values = (learned + judged).map(\.1)
        let low = log(values.min() ?? 0.01) - 0.05
        let high = log(values.max() ?? 0.1) + 0.05
        let last = max(lines.last.map { Double($0.step) } ?? 1, 1)
        func x(_ step: Double) -> Double { Self.margin + step / last * (Self.width - 1.5 * Self.margin) }
        func y(_ loss: Double) -> Double {
            Self.height - Self.margin - (log(loss) - low) / (high - low) * (Self.height - 2 * Self.margin)
        }
        func path(_ points: [(Double, Double)]) -> String {
            points.map { String(format: "%.1f,%.1f", x($0.0), y($0.1)) }.joined(separator: " ")
        }
        func label(_ text: String, _ x: Double, _ y: Double, _ anchor: String, _ colour: String = "#444") -> String {
            String(format: "<text x=\"%.0f\" y=\"%.0f\" text-anchor=\"\(anchor)\" fill=\"\(colour)\">", x, y)
                + "\(text)</text>"
        }
        var parts = [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 360\" font-family=\"sans-serif\" "
                + "font-size=\"13\">",
            "<rect width=\"720\" height=\"360\" fill=\"white\"/>",
            "<path d=\"M56 56V304H692\" fill=\"none\" stroke=\"#888\"/>",
            label(String(format: "%.4g", exp(high)), 50, 60, "end"),
            label(String(format: "%.4g", exp(low)), 50, 304, "end"),
            label("0", 56, 322, "middle"), label("step \(Int(last))", 692, 322, "end"),
            label("loss", 80, 40, "start", "#1f77b4"),
            "<polyline points=\"\(path(learned))\" fill=\"none\" stroke=\"#1f77b4\" stroke-width=\"1.5\"/>",
        ]
        if !judged.isEmpty {
            parts.append(label("validation", 130, 40, "start", "#e6730a"))
            parts.append(
                "<polyline points=\"\(path(judged))\" fill=\"none\" stroke=\"#e6730a\" stroke-width=\"1.5\"/>")
        }
        return (parts + ["</svg>"]).joined(separator: "\n") + "\n"
    }
}
