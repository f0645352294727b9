import Networks
import Tensors

extension CropTask {
    /// A step of one of D-BSN's three stages on a crop's sub-images (spec C.5).
    ///
    /// - Precondition: the network is D-BSN; `Trainer` checks it.
    func bayesianStep(
        _ loss: BayesianLoss, trainsMean: Bool, _ noisy: Tensor, _ network: any Network, _ weights: Weights,
        _ entries: Int
    ) -> Result {
        guard let network = network as? BayesianDBSN else {
            preconditionFailure("\(objective.rawValue) needs the network dbsn")
        }
        let tape = Tape()
        let pass = Pass(weights, on: tape)
        let subImages = pixelDownsample(Variable(noisy), stride: downsampling)
        let estimate = network.estimate(subImages, pass)
        let value = loss(estimate, subImages.tensor, network.noiseModel, pixels: entries / 3)
        // The heads take part in every stage, with gradients of 0 in the first: a checkpoint of the optimiser has all means.
        var gradients = pass.gradients(
            tape.backward(from: [
                (estimate.mean, value.mean), (estimate.uncertainty, value.uncertainty), (estimate.noise, value.noise),
            ]))
        if !trainsMean { gradients = gradients.filter { !$0.key.hasPrefix("\(BayesianDBSN.groups[0]).") } }
        return Result(loss: value.loss, gradients: gradients, statistics: pass.statistics)
    }
}
