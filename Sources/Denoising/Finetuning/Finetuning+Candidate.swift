import Foundation
import Imaging
import Methods
import Networks
import SystemPackage

extension Finetuning {
    /// A model file and what the judge found.
    public struct Candidate: Sendable {
        public let name: String
        public let hash: String
        public let path: FilePath
        private let verdict: Verdict
        /// Nil where its output is not finite.
        public var judgement: Judgement? { verdict.judgement }
        /// Why it is not better; nil if it is to be promoted.
        public var objection: String? { verdict.objection }
        /// What it gained, in one line.
        public var merit: String { verdict.merit }

        fileprivate init(of model: Model, _ path: FilePath, _ verdict: Verdict) {
            name = model.name
            hash = model.hash
            self.path = path
            self.verdict = verdict
        }
    }

    /// A comparison's end: what was found, or that a model's output is not finite.
    fileprivate struct Verdict: Sendable {
        let judgement: Judgement?
        let objection: String?
        var merit: String { judgement?.merit ?? "" }

        init(_ compare: () throws -> Judgement) throws {
            do {
                let judgement = try compare()
                self.judgement = judgement
                objection = judgement.objection
            } catch let error as NonFiniteOutput {
                judgement = nil
                objection = "\(error)"
            }
        }
    }

    /// Judges what training came to and writes it, with every figure, as a model file beside the checkpoint.
    ///
    /// What the run learned may go with something forgotten. Between the weights before and after lie models that have
    /// forgotten far less and learned nearly as much (Wortsman et al. 2022): the first of `shares` at which the pinned
    /// photographs keep what they had goes before the captures' judge.
    ///
    /// - Parameters:
    ///   - rival: the model that must be beaten: the one in use, which need not be the one that training began with.
    ///   - progress: called with the finished share of judging, 0…1.
    public func candidate(
        of run: TrainingRun, judgedBy judge: ModelJudge, against rival: Model, progress: (Double) -> Void = { _ in }
    ) throws -> Candidate {
        var metadata = metadata(of: run)
        var path = try write(run.weights, of: run, metadata)
        let verdict = try Verdict {
            let before = try judge.pinnedScores(of: rival)
            var after = before
            for share in Self.shares {
                metadata["share"] = "\(share)"
                let weights = base.weights.blended(with: run.weights, share: share)
                let last = path
                path = try write(weights, of: run, metadata)
                if path != last { try? FileManager.default.removeItem(atPath: last.string) }
                after = try judge.pinnedScores(of: try Model(contentsOf: path))
                if Judgement.objection(pinnedBefore: before, after: after) == nil { break }
            }
            return try judge.compare(
                try Model(contentsOf: path), with: rival, pinned: (before, after), progress: progress)
        }
        for (key, value) in verdict.judgement?.figures ?? [:] { metadata[key] = "\(value)" }
        metadata["judgement"] = verdict.objection ?? verdict.merit
        let model = try Model(contentsOf: path)
        try Model.write(model.weights, of: model.network, metadata: metadata, to: path)
        return Candidate(of: try Model(contentsOf: path), path, verdict)
    }

    /// Judges a model that was made elsewhere; its file stays as it is.
    ///
    /// - Throws: `ModelError` for a file that is no model of this method.
    public static func candidate(
        _ path: FilePath, judgedBy judge: ModelJudge, against rival: Model, progress: (Double) -> Void = { _ in }
    ) throws -> Candidate {
        let model = try Model(contentsOf: path)
        let verdict = try Verdict {
            let scores = (before: try judge.pinnedScores(of: rival), after: try judge.pinnedScores(of: model))
            return try judge.compare(model, with: rival, pinned: scores, progress: progress)
        }
        return Candidate(of: model, path, verdict)
    }

    /// Of the way from the weights before to those after.
    private static let shares: [Float] = [1, 0.75, 0.5, 0.35, 0.25]

    /// A model file named after its weights.
    private func write(_ weights: Weights, of run: TrainingRun, _ metadata: [String: String]) throws -> FilePath {
        let path = folder.appending("finetuned-\(weights.digest.prefix(8)).safetensors")
        try Model.write(weights, of: run.trainer.network, metadata: metadata, to: path)
        return path
    }
}
