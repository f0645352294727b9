import Foundation
import Imaging
import SystemPackage

/// What a training leaves beside its model: `metrics.jsonl`, one JSON object for each report, and `loss.svg`.
public struct TrainingLog {
    /// One line of `metrics.jsonl`.
    public struct Line: Codable, Equatable, Sendable {
        public var step: Int
        public var objective: String
        /// Mean over the steps since the line before.
        public var loss: Double
        public var rate: Double
        public var secondsPerStep: Double
        /// Error on what is never learned from; nil where it was not measured.
        public var validation: Double?

        private enum CodingKeys: String, CodingKey {
            case step, objective, loss, rate
            case secondsPerStep = "seconds_per_step"
            case validation
        }

        /// An error that was not measured is null, as every unknown value.
        public func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(step, forKey: .step)
            try container.encode(objective, forKey: .objective)
            try container.encode(loss, forKey: .loss)
            try container.encode(rate, forKey: .rate)
            try container.encode(secondsPerStep, forKey: .secondsPerStep)
            try container.encode(validation, forKey: .validation)
        }
    }

    public let folder: FilePath
    public private(set) var lines: [Line] = []

    /// Opens or creates the folder.
    ///
    /// - Parameter step: what a run that is resumed had saved; later lines are of work that is done again, so they go.
    public init(folder: FilePath, keeping step: Int = 0) throws {
        self.folder = folder
        try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
        guard step > 0,
            let text = try? String(contentsOfFile: folder.appending("metrics.jsonl").string, encoding: .utf8)
        else { return }
        // A killed run may have left half a line.
        lines = text.split(separator: "\n").compactMap { try? JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
            .filter { $0.step <= step }
    }

    /// Adds a line and draws the curve anew. Both files are replaced as a whole.
    public mutating func append(_ line: Line) throws {
        lines.append(line)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let text = try lines.map { String(decoding: try encoder.encode($0), as: UTF8.self) + "\n" }.joined()
        try StagedFile.replace(folder.appending("metrics.jsonl"), with: Data(text.utf8))
        let curve = LossCurve(lines: lines)
        try StagedFile.replace(folder.appending("loss.svg"), with: Data(curve.svg.utf8))
    }
}
