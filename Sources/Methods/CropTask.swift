import Networks
import Tensors

/// The forward and backward run of one crop.
struct CropTask: Sendable {
    let key: UInt64
    let objective: Objective
    let crop: Int
    let hiddenPixels: HiddenPixels
    /// Stride of D-BSN's sub-images.
    let downsampling: Int

    struct Result: Sendable {
        let loss: Double
        let gradients: [String: Tensor]
        /// Where the run moves the network's running statistics.
        let statistics: [String: Tensor]
    }

    /// 1 where branch 0 does not see the pixel, at full resolution: a sub-image's mask is drawn pixel by pixel, so
    /// downsampling one field gives independent masks to all sub-images.
    private var hidden: Tensor { field(1, 0.5) }

    /// Elements that this crop adds to the batch's mean: the hidden ones, or all of them where nothing is hidden.
    var entries: Int {
        switch objective {
        case .masked: 3 * Int(hidden.values.reduce(0, +))
        case .synthetic, .transfer, .blindSpot, .supervised, .distilled, .blindMean, .noise, .bayesian:
            3 * crop * crop
        }
    }

    /// The loss and its gradients for every weight.
    func gradients(of sample: TrainingSample, _ network: any Network, _ weights: Weights, entries: Int) -> Result {
        switch objective {
        case .synthetic:
            return syntheticStep(sample.noisy, against: sample.clean ?? sample.noisy, network, weights, entries)
        case .masked:
            return maskedStep(
                sample.noisy, against: sample.noisy, 5, counting: hidden, network, weights, entries)
        case .transfer:
            return transferStep(sample.noisy, network, weights, entries)
        case .blindSpot:
            return openStep(sample.noisy, against: sample.noisy, stride: 5, network, weights, entries)
        case .supervised:
            return openStep(sample.noisy, against: sample.clean ?? sample.noisy, stride: 1, network, weights, entries)
        case .distilled:
            return distilledStep(sample, network, weights, entries)
        case .blindMean:
            return bayesianStep(.squared, [.mean], sample.noisy, network, weights, entries)
        case .noise:
            return bayesianStep(.decided, [.uncertainty, .noise], sample.noisy, network, weights, entries)
        case .bayesian:
            return bayesianStep(.decided, BayesianDBSN.Group.allCases, sample.noisy, network, weights, entries)
        }
    }

    /// - Parameter counted: 1 where errors count.
    private func maskedStep(
        _ input: Tensor, against target: Tensor, _ stride: Int, counting counted: Tensor, _ network: any Network,
        _ weights: Weights, _ entries: Int
    ) -> Result {
        let mask = pixelDownsample(Variable(hidden), stride: stride).tensor
        let subImages = pixelDownsample(Variable(input), stride: stride).tensor
        return step(
            from: hiddenPixels.input(subImages, visible: complement(mask)),
            to: pixelDownsample(Variable(target), stride: stride).tensor,
            counting: pixelDownsample(Variable(counted), stride: stride).tensor, network, weights, entries)
    }

    /// The mean error of what the network makes of `images` against `targets`, where `places` counts it.
    ///
    /// Walked forth and back with as many images at a time as the network allows, so that the tape can keep what they
    /// write.
    private func step(
        from images: Tensor, to targets: Tensor, counting places: Tensor, _ network: any Network, _ weights: Weights,
        _ entries: Int
    ) -> Result {
        let tape = Tape()
        let pass = Pass(weights, on: tape)
        var (value, sums) = (0.0, Gradients?.none)
        for group in images.groupsOfImages(pixels: network.pixelsKept) {
            let output = network.anySize(Variable(images.images(group)), pass)
            let loss = maskedLoss(
                output.tensor, targets.images(group), hidden: places.images(group), entries: entries)
            value += loss.value
            sums = tape.backward(from: output, seed: loss.gradient, addingTo: sums)
        }
        return Result(loss: value, gradients: sums.map(pass.gradients) ?? [:], statistics: pass.statistics)
    }

    private func transferStep(
        _ noisy: Tensor, _ network: any Network, _ weights: Weights, _ entries: Int
    ) -> Result {
        let tape = Tape()
        let pass = Pass(weights, on: tape)
        let mask = pixelDownsample(Variable(hidden), stride: 5).tensor
        let subImages = pixelDownsample(Variable(noisy), stride: 5).tensor
        let first = network.anySize(Variable(hiddenPixels.input(subImages, visible: complement(mask))), pass)
        let second = network.anySize(Variable(hiddenPixels.input(subImages, visible: mask)), pass)
        let output = pixelUpsample(select(mask, first, second), stride: 5)
        let loss = transferLoss(output.tensor, noisy, entries: entries)
        return Result(
            loss: loss.value, gradients: pass.gradients(tape.backward(from: output, seed: loss.gradient)),
            statistics: pass.statistics)
    }

    /// Nothing is hidden, and every pixel counts.
    private func openStep(
        _ input: Tensor, against target: Tensor, stride: Int, _ network: any Network, _ weights: Weights,
        _ entries: Int
    ) -> Result {
        let images = pixelDownsample(Variable(input), stride: stride).tensor
        return step(
            from: images, to: pixelDownsample(Variable(target), stride: stride).tensor,
            counting: Tensor([1] + images.shape[1...], repeating: 1), network, weights, entries)
    }

    /// What the network meets at inference.
    enum Situation: Equatable {
        /// The photograph with nothing hidden, one plain pass.
        case open
        /// The photograph, or its sub-images.
        case masked(stride: Int)
        /// The network's own estimate at full resolution with a share of noisy pixels put back (spec A.8).
        case refinement(replacement: Double)
    }

    /// Situations as often as they are worth; strides above 1 let inference and stages B and P choose theirs.
    var situation: Situation {
        var random = RandomSource(seed: RandomSource.mix(key, 2))
        switch random.uniform() {
        case ..<0.4: return .open
        case ..<0.65: return .masked(stride: 1)
        case ..<0.8:
            let strides = (2...5).filter { crop % $0 == 0 }
            return .masked(stride: strides[random.index(below: strides.count)])
        default: return .refinement(replacement: 0.16 + 0.84 * Double(random.uniform()))
        }
    }

    private func syntheticStep(
        _ noisy: Tensor, against clean: Tensor, _ network: any Network, _ weights: Weights, _ entries: Int
    ) -> Result {
        // Hidden pixels and seen ones: inference joins both (`MaskedEstimate`).
        let all = Tensor([1, 1, crop, crop], repeating: 1)
        switch situation {
        case .open:
            return openStep(noisy, against: clean, stride: 1, network, weights, entries)
        case .masked(let stride):
            return maskedStep(noisy, against: clean, stride, counting: all, network, weights, entries)
        case .refinement(let replacement):
            let copy = refinementCopy(of: noisy, replacement, network, weights)
            return maskedStep(copy, against: clean, 1, counting: all, network, weights, entries)
        }
    }

    private func refinementCopy(
        of noisy: Tensor, _ replacement: Double, _ network: any Network, _ weights: Weights
    ) -> Tensor {
        let mask = field(3, 0.5)
        let outputs = [complement(mask), mask].map {
            network.anySize(Variable(hiddenPixels.input(noisy, visible: $0)), Pass(weights))
        }
        return select(field(4, replacement), Variable(noisy), select(mask, outputs[0], outputs[1])).tensor
    }

    /// Ones with that probability at full resolution, [1, 1, crop, crop]; `salt` names what they are for.
    func field(_ salt: UInt64, _ probability: Double) -> Tensor {
        RandomField(key: RandomSource.mix(key, salt), probability: probability).window(
            rows: 0..<crop, columns: 0..<crop)
    }
}
