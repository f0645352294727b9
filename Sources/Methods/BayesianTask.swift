import Networks
import Tensors

extension CropTask {
    /// A step of one of D-BSN's three stages on a crop's sub-images (spec C.5).
    ///
    /// - Parameter groups: of parameters that learn; the others are constants and cost nothing on the way back.
    /// - Precondition: the network is D-BSN; `Trainer` checks it.
    func bayesianStep(
        _ loss: BayesianLoss, _ groups: [BayesianDBSN.Group], _ noisy: Tensor, _ network: any Network,
        _ weights: Weights, _ entries: Int
    ) -> Result {
        guard let network = network as? BayesianDBSN else {
            preconditionFailure("\(objective.rawValue) needs the network dbsn")
        }
        let tape = Tape()
        let pass = Pass(weights, on: tape) { name in groups.contains { $0.holds(name) } }
        let subImages = pixelDownsample(Variable(noisy), stride: downsampling)
        let estimate = network.estimate(subImages, pass)
        let value = loss(estimate, subImages.tensor, network.noiseModel, pixels: entries / 3)
        let outputs = [
            (estimate.mean, value.mean), (estimate.uncertainty, value.uncertainty), (estimate.noise, value.noise),
        ]
        let found = tape.backward(from: outputs.filter { $0.0.wantsGradient })
        return Result(loss: value.loss, gradients: pass.gradients(found), statistics: pass.statistics)
    }
}

extension Trainer {
    /// D-BSN's stages are trainings of their own (spec C.5): each begins with a fresh optimiser, and the second with
    /// heads that take all that the mean leaves for noise, but for a tenth.
    ///
    /// From there, what is not noise everywhere moves to the mean's uncertainty. From anywhere below, the evidence
    /// leaves the noise where it is: the uncertainty, larger than all of the residual at PyTorch's first values, took
    /// all of it.
    mutating func begin(
        _ objective: Objective, of network: BayesianDBSN, from source: any TrainingSource, threads: Int
    ) throws {
        optimiser.restart(for: network.trainedParameters)
        guard objective == .noise else { return }
        let (plan, weights, step) = (plan, weights, step)
        let sums = try parallelMap(Self.residualCrops, threads: threads) { index in
            // Keys beside those of the batch's own crops.
            let key = RandomSource.mix(RandomSource.mix(plan.seed, UInt64(step)), 1 << 32 + UInt64(index))
            let noisy = try source.sample(for: objective, crop: plan.crop, key: key).noisy
            let subImages = pixelDownsample(Variable(noisy), stride: plan.downsampling ?? 1).tensor
            return SymmetricMatrix(
                meanSquareOf: subtract(Variable(subImages), network(Variable(subImages), Pass(weights))).tensor)
        }
        let residual = (1 / Double(sums.count)) * sums.reduce(SymmetricMatrix.zero, +)
        let (noise, uncertainty) = (0.9 * residual, 0.1 * residual)
        let isJoint = network.noiseModel == .multivariate
        self.weights = network.weights(
            weights,
            whereHeadsSay: isJoint ? uncertainty.upperFactor : uncertainty.deviations,
            of: isJoint ? noise.upperFactor : noise.deviations.map(NoiseVariance.raw))
    }

    private static let residualCrops = 32
}
