@testable import Denoising
import Foundation
import Methods
import Networks
import SystemPackage
import Tensors
import TestSupport
import Testing

@Suite struct ValidationTests {
    static func validation(every: Int = 1, patience: Int? = nil) throws -> Validation {
        let source = TrainingRunTests.NoiseSource()
        return Validation(
            samples: try (0..<3).map { try source.sample(for: .masked, crop: 20, key: 1000 + $0) }, stride: 5,
            every: every, patience: patience)
    }

    private func run(
        _ rate: Double, steps: Int = 6, _ validation: Validation?, in folder: FilePath, stopAfter: Int = .max
    ) throws -> (run: TrainingRun, reports: [TrainingRun.Progress]) {
        let plan = TrainingPlan(stages: [.init(.masked, steps: steps, rate: rate)], batch: 1, crop: 20, seed: 6)
        let checkpoint = folder.appending("checkpoint")
        var run =
            FileManager.default.fileExists(atPath: checkpoint.string)
            ? try TrainingRun(resuming: checkpoint)
            : TrainingRun(
                Trainer(network: Small.network, plan: plan, weights: Small.weights), checkpoint: checkpoint)
        var reports: [TrainingRun.Progress] = []
        var left = stopAfter
        try run.run(
            from: TrainingRunTests.NoiseSource(), validation: validation, threads: 1, reportEvery: 100,
            shouldStop: {
                left -= 1
                return left < 0
            }, report: { reports.append($0) })
        return (run, reports)
    }

    @Test func theBestWeightsAreKept() throws {
        try withTemporaryPath { folder in
            let (run, reports) = try run(1e-2, try Self.validation(), in: folder)
            let losses = reports.compactMap(\.validation)
            #expect(losses.count == 6)
            let best = try #require(run.best)
            #expect(best.loss <= losses.min() ?? 0)
            let again = try Self.validation().loss(of: Small.network, run.weights, .zero, threads: 2)
            #expect(again == best.loss)
        }
    }

    @Test func trainingThatOnlyHarmsEndsWithWhatItBeganWith() throws {
        try withTemporaryPath { folder in
            let (run, reports) = try run(20, steps: 50, try Self.validation(patience: 3), in: folder)
            #expect(reports.count == 3)
            #expect(run.trainer.step == 3)
            #expect(run.best?.step == 0)
            #expect(run.weights.tensors.mapValues(\.values) == Small.weights.tensors.mapValues(\.values))
        }
    }

    @Test func aStoppedRunKeepsItsBestAndItsPatience() throws {
        try withTemporaryPath { root in
            let (whole, stopped) = (try Small.folder("whole", in: root), try Small.folder("stopped", in: root))
            _ = try run(5e-2, steps: 8, try Self.validation(every: 2, patience: 2), in: whole)
            for _ in 0..<10 {
                _ = try run(5e-2, steps: 8, try Self.validation(every: 2, patience: 2), in: stopped, stopAfter: 1)
            }
            #expect(try Small.bytes(stopped.appending("checkpoint")) == Small.bytes(whole.appending("checkpoint")))
        }
    }

    /// A checkpoint of a run that diverged is the last one before it.
    @Test func aRunThatLeavesTheNumbersIsStopped() throws {
        try withTemporaryPath { folder in
            let error = #expect(throws: TrainingError.self) { try run(1e30, steps: 20, nil, in: folder) }
            #expect(error?.description.contains("diverged") == true)
        }
    }
}

@Suite struct TrainingLogTests {
    private func line(_ step: Int, _ validation: Double? = nil) -> TrainingLog.Line {
        TrainingLog.Line(
            step: step, objective: "masked", loss: 0.5 / Double(step), rate: 1e-4, secondsPerStep: 0.25,
            validation: validation)
    }

    @Test func eachReportIsAJSONObjectWithEveryKey() throws {
        try withTemporaryPath { folder in
            var log = try TrainingLog(folder: folder.appending("run"))
            try log.append(line(10))
            try log.append(line(20, 0.125))
            let text = String(decoding: try Small.bytes(folder.appending("run/metrics.jsonl")), as: UTF8.self)
            #expect(text.split(separator: "\n").count == 2)
            #expect(
                text.hasPrefix(#"{"loss":0.05,"objective":"masked","rate":0.0001,"seconds_per_step":0.25,"step":10,"#))
            #expect(text.contains(#""validation":null"#) && text.contains(#""validation":0.125"#))
        }
    }

    @Test func linesOfWorkThatIsDoneAgainAreReplaced() throws {
        try withTemporaryPath { folder in
            var log = try TrainingLog(folder: folder)
            for step in [10, 20, 30] { try log.append(line(step)) }
            // The last line of a process that was killed.
            let file = FileHandle(forWritingAtPath: folder.appending("metrics.jsonl").string)
            try file?.seekToEnd()
            try file?.write(contentsOf: Data(#"{"loss":0.1,"obj"#.utf8))
            try file?.close()
            var resumed = try TrainingLog(folder: folder, keeping: 20)
            #expect(resumed.lines.map(\.step) == [10, 20])
            try resumed.append(line(30))
            #expect(try TrainingLog(folder: folder, keeping: 99).lines.map(\.step) == [10, 20, 30])
            #expect(try TrainingLog(folder: folder).lines.isEmpty)
        }
    }

    @Test func theCurveIsAPictureOfBothLosses() throws {
        let svg = LossCurve(lines: [line(10), line(20, 0.04), line(30, 0.03)]).svg
        #expect(svg.hasPrefix("<svg ") && svg.hasSuffix("</svg>\n"))
        let parser = XMLCounter(svg)
        #expect(parser.isWellFormed)
        #expect(parser.points == [3, 2])
        #expect(XMLCounter(LossCurve(lines: []).svg).isWellFormed)
        #expect(XMLCounter(LossCurve(lines: [line(5)]).svg).points == [1])
    }

    /// Points of each polyline, and whether every tag is closed.
    private struct XMLCounter {
        let isWellFormed: Bool
        let points: [Int]

        init(_ text: String) {
            let tags = text.matches(of: /<(\/?)(\w+)[^>]*?(\/?)>/)
            isWellFormed =
                tags.reduce(0) { $0 + ($1.3 == "/" ? 0 : $1.1 == "/" ? -1 : 1) } == 0 && !text.contains("nan")
            points = text.matches(of: /polyline points="([^"]*)"/).map { $0.1.split(separator: " ").count }
        }
    }
}
