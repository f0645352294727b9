@testable import Methods
import Networks
import Tensors
import Testing

@Suite struct TrainerTests {
    /// Every objective, with crops that are multiples of 5·2.
    static let plan = TrainingPlan(
        stages: [
            .init(.synthetic, steps: 4, rate: 1e-2), .init(.masked, steps: 2, rate: 1e-3),
            .init(.transfer, steps: 2, rate: 1e-3),
        ], batch: 3, crop: 20, seed: 4)

    static func trainer(_ plan: TrainingPlan = plan) -> Trainer {
        Trainer(network: Toy.network, plan: plan, weights: Toy.weights)
    }

    @Test func anyNumberOfThreadsGivesTheSameWeights() throws {
        var trainers = [Self.trainer(), Self.trainer()]
        while !trainers[0].isFinished {
            let losses = try [0, 1].map { try trainers[$0].advance(from: RampSource(), threads: $0 + 1) }
            #expect(losses[0] == losses[1])
        }
        #expect(trainers[0].weights.bits == trainers[1].weights.bits)
        #expect(trainers[0].weights.bits != Toy.weights.bits)
        #expect(trainers[0].step == 8 && trainers[0].optimiser.steps == 8)
    }

    /// Three batches of two are one of six: the sums are taken in the same order.
    @Test(arguments: [
        NetworkConfiguration.dncnn(.init(width: 4, convolutions: 3)),
        .nafnet(.init(width: 4, encoder: [1], middle: 1, decoder: [1])),
    ]) func accumulatedBatchesAreOneLargeBatch(configuration: NetworkConfiguration) throws {
        let network = configuration.makeNetwork()
        func trained(_ batch: Int, _ accumulation: Int) throws -> Weights {
            let plan = TrainingPlan(
                stages: [.init(.masked, steps: 2, rate: 1e-3)], batch: batch, accumulation: accumulation, crop: 20)
            var trainer = Trainer(network: network, plan: plan, weights: Weights(initialising: network, seed: 2))
            while !trainer.isFinished { _ = try trainer.advance(from: RampSource(), threads: 2) }
            return trainer.weights
        }
        #expect(try trained(2, 3).bits == trained(6, 1).bits)
        #expect(try trained(2, 3).bits != trained(2, 1).bits)
    }

    /// Sums in another order: 25 sub-images of 16 pixels at once, in five parts and one by one.
    @Test(arguments: [Objective.masked, .blindSpot]) func partsOfABatchAddUpToItsGradients(objective: Objective) throws
    {
        let crop = CropTask(key: 3, objective: objective, crop: 20, hiddenPixels: .zero, downsampling: 1)
        let sample = try RampSource().sample(for: objective, crop: 20, key: 5)
        let results = [Int.max, 5 * 16 + 3, 1].map {
            crop.gradients(of: sample, Parted(network: Toy.network, pixelsKept: $0), Toy.weights, entries: crop.entries)
        }
        for result in results.dropFirst() {
            #expect(abs(result.loss - results[0].loss) < 1e-6)
            for (name, gradient) in results[0].gradients {
                let (found, scale) = (result.gradients[name]?.values, gradient.values.map { abs($0) }.max() ?? 0)
                let deviation = found.map { zip($0, gradient.values).map { abs($0 - $1) }.max() ?? 0 }
                #expect(try #require(deviation, "\(name)") < 1e-5 * max(scale, 0.01), "\(name)")
            }
        }
    }

    /// Running statistics move with every step, to the mean over the crops of where each of them leads.
    @Test func batchStatisticsAreThoseOfTheStepsCrops() throws {
        let network = DnCNN(.init(width: 4, convolutions: 4))
        let start = Weights(initialising: network, seed: 2)
        func moved(_ batch: Int, threads: Int) throws -> Weights {
            let plan = TrainingPlan(stages: [.init(.transfer, steps: 1, rate: 1e-2)], batch: batch, crop: 20, seed: 7)
            var trainer = Trainer(network: network, plan: plan, weights: start)
            _ = try trainer.advance(from: RampSource(), threads: threads)
            return trainer.weights
        }
        let weights = try moved(3, threads: 1)
        #expect(try moved(3, threads: 3).bits == weights.bits)
        let single = try moved(1, threads: 1)
        for parameter in network.parameters where parameter.role == .statistic {
            let values = weights.tensors[parameter.name]?.values
            #expect(values != start.tensors[parameter.name]?.values)
            #expect(values != single.tensors[parameter.name]?.values)
        }
    }

    /// Sub-images of 8×8 pixels are far below UNet's multiple of 32.
    @Test(arguments: Objective.allCases.filter { !$0.needsBayesianDBSN })
    func cropsThatAreNoMultipleOfTheNetworksAreLearnedFrom(objective: Objective)
        throws
    {
        let network = UNet(.init(width: 4, head: 4))
        let plan = TrainingPlan(stages: [.init(objective, steps: 2, rate: 1e-3)], batch: 1, crop: 40)
        var trainer = Trainer(network: network, plan: plan, weights: Weights(initialising: network, seed: 3))
        while !trainer.isFinished { #expect(try trainer.advance(from: RampSource(), threads: 1) > 0) }
        #expect(trainer.weights.tensors.values.allSatisfy { $0.isFinite })
    }

    /// Nothing is hidden: sub-images against themselves, or the whole against its clean side. 1e-5: batches sum in
    /// another order than the mean here.
    @Test(arguments: [(Objective.blindSpot, 5), (.supervised, 1)])
    func openTrainingComparesEveryPixel(objective: Objective, stride: Int) throws {
        struct Still: TrainingSource {
            let noisy: Tensor
            let clean: Tensor
            func sample(for objective: Objective, crop: Int, key: UInt64) -> TrainingSample {
                TrainingSample(noisy: noisy, clean: objective.needsClean ? clean : nil)
            }
        }
        let (noisy, clean) = (Toy.image(20, 20, seed: 9), Toy.image(20, 20, seed: 10))
        let subImages = pixelDownsample(Variable(noisy), stride: stride).tensor
        let output = pixelUpsample(Variable(Toy.network.infer(subImages, Toy.weights)), stride: stride).tensor.values
        let target = objective.needsClean ? clean.values : noisy.values
        let expected = zip(output, target).reduce(0) { $0 + Double(abs($1.0 - $1.1)) } / Double(output.count)
        let plan = TrainingPlan(stages: [.init(objective, steps: 1, rate: 1e-3)], batch: 2, crop: 20)
        var trainer = Self.trainer(plan)
        let loss = try trainer.advance(from: Still(noisy: noisy, clean: clean), threads: 2)
        #expect(abs(loss - expected) < 1e-5 * expected)
        #expect(trainer.weights.bits != Toy.weights.bits)
    }

    /// A network that serves masked and plain passes must have met both, and every stride that divides the crop.
    @Test func syntheticCropsMeetEverySituation() {
        let situations = (0..<400).map {
            CropTask(key: $0, objective: .synthetic, crop: 120, hiddenPixels: .neighbours, downsampling: 1).situation
        }
        func share(_ isCounted: (CropTask.Situation) -> Bool) -> Double {
            Double(situations.filter(isCounted).count) / Double(situations.count)
        }
        // Four deviations of a share of 400 draws are at most 0.1.
        #expect(abs(share { $0 == .open } - 0.4) < 0.1)
        #expect(abs(share { $0 == .masked(stride: 1) } - 0.25) < 0.1)
        for stride in 2...5 { #expect(situations.contains(.masked(stride: stride))) }
        let replacements = situations.compactMap { situation in
            if case .refinement(let replacement) = situation { replacement } else { nil }
        }
        #expect(replacements.allSatisfy { (0.16...1).contains($0) } && Set(replacements).count > 40)
    }

    @Test(arguments: HiddenPixels.allCases) func theLossFallsOnRamps(hiddenPixels: HiddenPixels) throws {
        let plan = TrainingPlan(
            stages: [.init(.masked, steps: 60, rate: 1e-2)], batch: 2, crop: 40, seed: 5, hiddenPixels: hiddenPixels)
        var trainer = Self.trainer(plan)
        var losses: [Double] = []
        while !trainer.isFinished { losses.append(try trainer.advance(from: RampSource(), threads: 2)) }
        let (before, after) = (losses.prefix(5).reduce(0, +), losses.suffix(5).reduce(0, +))
        // From holes of 0 the loss falls to the noise, 0.04; interpolations start near it.
        #expect(after < (hiddenPixels == .zero ? 0.5 : 0.98) * before, "\(before) to \(after)")
    }

    @Test func aFinishedTrainerDoesNothing() throws {
        var trainer = Trainer(network: Toy.network, plan: Self.plan, weights: Toy.weights, step: 8)
        #expect(trainer.isFinished)
        #expect(try trainer.advance(from: RampSource(), threads: 1) == 0)
        #expect(trainer.weights.bits == Toy.weights.bits && trainer.step == 8)
    }

    /// One sample of ramps with one value of its own.
    struct DamagedSource: TrainingSource {
        let value: Float

        func sample(for objective: Objective, crop: Int, key: UInt64) throws -> TrainingSample {
            let sample = try RampSource().sample(for: objective, crop: crop, key: key)
            var noisy = sample.noisy
            noisy.withMutablePointer { $0[crop + 1] = value }
            return TrainingSample(noisy: noisy, clean: sample.clean)
        }
    }

    @Test(arguments: Objective.allCases.filter { !$0.needsBayesianDBSN }, [Float.nan, .infinity])
    func aSampleThatIsNotFiniteLeavesTheWeightsAsTheyWere(objective: Objective, value: Float) throws {
        let plan = TrainingPlan(stages: [.init(objective, steps: 4, rate: 1e-2)], batch: 2, crop: 20)
        var trainer = Self.trainer(plan)
        _ = try trainer.advance(from: RampSource(), threads: 1)
        let before = trainer.weights.bits
        let error = #expect(throws: TrainingError.self) {
            try trainer.advance(from: DamagedSource(value: value), threads: 2)
        }
        #expect(error?.description.contains("diverged at step 1") == true)
        #expect(trainer.weights.bits == before)
        #expect(trainer.step == 1 && trainer.optimiser.steps == 1)
        _ = try trainer.advance(from: RampSource(), threads: 1)
        #expect(trainer.weights.tensors.values.allSatisfy { $0.isFinite })
    }

    @Test func anErrorOfTheSourceIsPassedOnAndLeavesTheWeights() {
        struct Broken: Error {}
        struct BrokenSource: TrainingSource {
            func sample(for objective: Objective, crop: Int, key: UInt64) throws -> TrainingSample { throw Broken() }
        }
        var trainer = Self.trainer()
        #expect(throws: Broken.self) { try trainer.advance(from: BrokenSource(), threads: 2) }
        #expect(trainer.weights.bits == Toy.weights.bits && trainer.step == 0)
    }
}
