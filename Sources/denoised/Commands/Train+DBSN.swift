import ArgumentParser
import Denoising
import Foundation
import Methods
import Networks

/// What `train` teaches.
enum TrainingMethod: String, ExpressibleByArgument, CaseIterable {
    case amsnet, dbsn
}

extension BayesianDBSN.Noise: ExpressibleByArgument {}

/// Options of `train` for D-BSN.
struct DBSNTrainingOptions: ParsableArguments {
    @Option(
        help: "amsnet; dbsn: a blind-spot network with variances, for --method dbsn, --network dbsn or dbsn-compact.")
    var method: TrainingMethod = .amsnet

    @Option(help: "What D-BSN knows of the noise: awgn, heteroscedastic or multivariate.")
    var noiseModel: BayesianDBSN.Noise = .heteroscedastic

    @Option(help: "Learning rate at the start of D-BSN's first two stages; the last begins with a tenth.")
    var dbsnRate = 3e-4

    private var isChosen: Bool { method == .dbsn }

    /// The architecture that `name` means, with the noise model in place.
    ///
    /// - Parameter name: of --network, whose default is a network of AMSNet.
    /// - Throws: `ValidationError` for a network that D-BSN is not.
    func configuration(_ name: String, default unset: String) throws -> NetworkConfiguration? {
        guard isChosen else { return NetworkConfiguration.named[name] }
        switch name {
        case unset, "dbsn-compact": return .bayesianDBSN(.compact(noiseModel))
        case "dbsn": return .bayesianDBSN(.published(noiseModel))
        default: throw ValidationError("--method dbsn needs --network dbsn or dbsn-compact")
        }
    }

    /// D-BSN's stages of spec C.5, six tenths of the steps for the mean and two for each of the others; nil for AMSNet.
    func stages(steps: Int) -> [TrainingPlan.Stage]? {
        guard isChosen else { return nil }
        let share = steps / 5
        return [
            .init(.blindMean, steps: steps - 2 * share, rate: dbsnRate),
            .init(.noise, steps: share, rate: dbsnRate),
            .init(.bayesian, steps: share, rate: dbsnRate / 10),
        ]
    }

    /// "25.1 24.8 25.3": what a D-BSN takes for noise in crops of the captures, in units of 1/255; nil for others.
    static func noise(_ run: TrainingRun, _ captures: TrainingFolder) throws -> String? {
        guard let network = run.trainer.network as? BayesianDBSN else { return nil }
        let plan = run.trainer.plan
        let crops = try (0..<16).map { try captures.sample(for: .bayesian, crop: plan.crop, key: $0).noisy }
        let model = PosteriorMean(network: network, weights: run.weights, stride: plan.downsampling ?? 1)
        return model.noiseDeviations(of: crops).map { String(format: "%.1f", 255 * $0) }.joined(separator: " ")
    }

    /// What the model file says of a D-BSN that was taught at that stride; nil for AMSNet.
    static func metadata(_ plan: TrainingPlan, _ network: any Network) -> [String: String]? {
        guard let network = network as? BayesianDBSN else { return nil }
        return [
            "variant": "dbsn", "noise_model": network.noiseModel.rawValue, "plain_stride": "\(plan.downsampling ?? 1)",
        ]
    }
}
