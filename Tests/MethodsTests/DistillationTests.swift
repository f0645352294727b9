@testable import Methods
import Networks
import Tensors
import TestSupport
import Testing

@Suite struct DistillationTests {
    static func task(_ key: UInt64 = 5) -> CropTask {
        CropTask(key: key, objective: .distilled, crop: 20, hiddenPixels: .zero, downsampling: 1)
    }

    static func sample(predictions count: Int) -> TrainingSample {
        TrainingSample(
            noisy: Toy.image(20, 20, seed: 1), predictions: (0..<count).map { Toy.image(20, 20, seed: 2 + UInt64($0)) })
    }

    /// t = T ⊙ (1 − M) + y ⊙ M: in every pixel all channels are the teacher's or all are the noisy ones, the latter in
    /// 16 % of them (within four deviations of 400 pixels, 0.07), at other places for each prediction (spec G.2).
    @Test func targetsAreTheTeachersWithSomeNoisyPixelsPutBack() {
        let sample = Self.sample(predictions: 3)
        let targets = Self.task().targets(of: sample)
        #expect(targets.count == 3)
        let masks = zip(targets, sample.predictions).map { target, prediction in
            (0..<400).map { p in
                let values = (0..<3).map { target.values[$0 * 400 + p] }
                let isNoisy = values == (0..<3).map { sample.noisy.values[$0 * 400 + p] }
                #expect(isNoisy != (values == (0..<3).map { prediction.values[$0 * 400 + p] }))
                return isNoisy
            }
        }
        for mask in masks { #expect(abs(Double(mask.count { $0 }) / 400 - 0.16) < 0.08) }
        #expect(Set(masks).count == 3)
        #expect(Self.task().targets(of: sample).map(\.values) == targets.map(\.values))
        #expect(Self.task(6).targets(of: sample).map(\.values) != targets.map(\.values))
    }

    @Test func aCleanSideIsItsOwnTarget() {
        let clean = Toy.image(20, 20, seed: 9)
        let sample = TrainingSample(
            noisy: Toy.image(20, 20, seed: 1), clean: clean, predictions: [Toy.image(20, 20, seed: 2)])
        #expect(Self.task().targets(of: sample).map(\.values) == [clean.values])
    }

    /// The loss is the mean of the targets' absolute errors, and its gradients belong to the student alone: their sum
    /// over the targets' errors one by one.
    @Test func theLossIsTheMeanOfThePredictionsErrors() {
        let sample = Self.sample(predictions: 2)
        let (network, weights) = (Toy.network, Toy.weights)
        let task = Self.task()
        let result = task.gradients(of: sample, network, weights, entries: task.entries)
        let output = network.infer(sample.noisy, weights).values
        let errors = task.targets(of: sample).map { target in
            zip(output, target.values).reduce(0.0) { $0 + Double(abs($1.0 - $1.1)) } / Double(output.count)
        }
        // 1e-5: a sum of 1200 terms in another order.
        #expect(abs(result.loss - (errors[0] + errors[1]) / 2) < 1e-5)
        #expect(Set(result.gradients.keys) == Set(network.trainedParameters.map(\.name)))
        let single = task.targets(of: sample).map { target in
            task.gradients(
                of: TrainingSample(noisy: sample.noisy, clean: target), network, weights, entries: task.entries)
        }
        for (name, gradient) in result.gradients {
            let scale = gradient.values.map(abs).max() ?? 0
            for index in 0..<gradient.count {
                let mean = single.reduce(Float(0)) { $0 + ($1.gradients[name]?.values[index] ?? 0) / 2 }
                // 1e-4: rounding of Winograd's convolutions, as for the other networks.
                #expect(abs(mean - gradient.values[index]) <= 1e-4 * scale + 1e-9)
            }
        }
    }
}
