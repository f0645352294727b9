import Networks
import Tensors

extension CropTask {
    /// How many of a target's pixels are the noisy ones. G.2 does not give it; as many as refinement puts back (spec
    /// A.8).
    static let rechargedShare = 0.16

    /// What the student is to say of a sample: its clean side where there is one, else each of the teacher's
    /// predictions with a random share of the noisy pixels put back, t = T ⊙ (1 − M) + y ⊙ M (spec G.2).
    func targets(of sample: TrainingSample) -> [Tensor] {
        if let clean = sample.clean { return [clean] }
        return sample.predictions.enumerated().map { index, prediction in
            let recharged = field(16 + UInt64(index), Self.rechargedShare)
            return select(recharged, Variable(sample.noisy), Variable(prediction)).tensor
        }
    }

    /// Mean over the targets of mean |f(y) − t|, with nothing hidden from the student f. No gradient reaches the
    /// targets.
    ///
    /// - Precondition: the sample has a target; a source for students gives one.
    func distilledStep(
        _ sample: TrainingSample, _ network: any Network, _ weights: Weights, _ entries: Int
    ) -> Result {
        let targets = targets(of: sample)
        precondition(!targets.isEmpty, "a sample to distil from has a clean side or predictions")
        let tape = Tape()
        let pass = Pass(weights, on: tape)
        let output = network.anySize(Variable(sample.noisy), pass)
        let all = Tensor([1] + output.tensor.shape[1...], repeating: 1)
        let losses = targets.map {
            maskedLoss(output.tensor, $0, hidden: all, entries: entries * targets.count)
        }
        let found = tape.backward(from: losses.map { (output, $0.gradient) })
        return Result(
            loss: losses.reduce(0) { $0 + $1.value }, gradients: pass.gradients(found), statistics: pass.statistics)
    }
}
