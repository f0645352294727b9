import Networks
import Tensors

/// ZS-N2N (Mansour and Heckel, CVPR 2023): a small network learns from the photograph that it is for, and from no
/// other. Needs no model, and noise that pixels `stride` apart do not share (spec D).
public struct ZeroShot: TileDenoiser {
    /// How long and how fast it learns.
    public struct Schedule: Sendable, Equatable, Codable {
        public var steps = 2000
        public var rate = 1e-3
        /// The rate is halved every so many steps.
        public var halving = 1500
        /// Pixels of the photograph that a step learns from; of smaller photographs it takes all.
        public var pixels = 65_536

        public init() {}

        func rate(at step: Int) -> Float { Float(rate / Double(1 << min(step / halving, 60))) }
    }

    public let network: any Network
    public let stride: Int
    public let channels: Int
    public let schedule: Schedule
    private let seed: UInt64

    /// - Parameters:
    ///   - channels: 3, or 1 for a grey photograph.
    ///   - stride: of pixel downsampling; 1 for noise that neighbours do not share.
    ///   - seed: of first weights and crops.
    public init(channels: Int, stride: Int = 1, seed: UInt64, schedule: Schedule = Schedule()) {
        network = ZSN2N(channels == 1 ? .grey : .colour)
        self.channels = channels
        self.stride = stride
        self.seed = seed
        self.schedule = schedule
    }

    /// One over the sub-images, and the refinements where there are any.
    public var passes: Int { 1 + Self.refinements(stride) }

    /// Copies over which the last step takes the mean: only where sub-images were denoised, each without its neighbours
    /// (spec D.4 and A.8).
    private static func refinements(_ stride: Int) -> Int { stride > 1 ? 8 : 0 }

    /// A step runs forward over the image and both views of half its size, and backward at twice the cost.
    public func preparationShare(ofPixels pixels: Int) -> Double {
        let learning = Double(schedule.steps * min(pixels, schedule.pixels)) * 1.5 * 3
        return learning / (learning + Double(pixels * passes))
    }

    /// - Throws: `ZeroShotError` when the photograph is too small, or nothing can be learned from it.
    public func prepared(
        for photograph: PhotographPixels, threads: Int, progress: @Sendable (Double) -> Void
    ) throws -> any TileDenoiser {
        let crops = try ZeroShotCrops(
            height: photograph.height, width: photograph.width, stride: stride, pixels: schedule.pixels)
        var weights = Weights(initialising: network, seed: RandomSource.mix(seed, 1))
        var optimiser = AdamW()
        for step in 0..<schedule.steps {
            let windows = crops.windows(key: RandomSource.mix(seed, 2 + UInt64(step)))
            let entries = windows.reduce(0) { $0 + 2 * channels * $1.pixels / 4 }
            let (network, current, stride) = (network, weights, stride)
            let results = try parallelMap(windows.count, threads: threads) { index in
                let crop = windows[index]
                return zeroShotLoss(
                    of: photograph.window(crop.seen.rows, crop.seen.columns), crop, stride: stride, network, current,
                    entries: entries)
            }
            guard results.allSatisfy(\.loss.isFinite) else { throw ZeroShotError.diverged(step: step) }
            try optimiser.step(&weights, Self.sum(results.map(\.gradients)), rate: schedule.rate(at: step))
            progress(Double(step + 1) / Double(schedule.steps))
        }
        return Learned(
            network: network, weights: weights, stride: stride, channels: channels, seed: RandomSource.mix(seed, 0),
            refinements: Self.refinements(stride))
    }

    /// - Precondition: never called; a method that has not learned yet denoises nothing.
    public func denoise(_ noisy: Tensor, row: Int, column: Int, threads: Int) throws -> Tensor {
        preconditionFailure("ZS-N2N must learn from the photograph first")
    }

    /// What was learned, at work on the sub-images. Where there are several, copies of the result with a share of the
    /// noisy pixels put back go through it once more, whole, and their mean counts: it takes away the grid of phases,
    /// each of which was denoised alone.
    private struct Learned: TileDenoiser {
        let network: any Network
        let weights: Weights
        let stride: Int
        let channels: Int
        let seed: UInt64
        let refinements: Int
        var passes: Int { 1 + refinements }

        func denoise(_ noisy: Tensor, row: Int, column: Int, threads: Int) throws -> Tensor {
            let first = Plain(network: network, weights: weights, stride: stride).denoise(noisy)
            guard refinements > 0 else { return first }
            let copies = try parallelMap(refinements, threads: threads) { copy in
                let replaced = RandomField(
                    key: RandomSource.mix(seed, UInt64(copy)), probability: AMSNet.publishedReplacement
                ).window(rows: row..<row + noisy.height, columns: column..<column + noisy.width)
                return network.infer(select(replaced, Variable(noisy), Variable(first)).tensor, weights)
            }
            return mean(copies)
        }
    }

    private static func sum(_ gradients: [[String: Tensor]]) -> [String: Tensor] {
        gradients.dropFirst().reduce(into: gradients.first ?? [:]) { sums, next in
            for (name, gradient) in next {
                guard var sum = sums.removeValue(forKey: name) else { continue }
                accumulate(gradient, into: &sum)
                sums[name] = sum
            }
        }
    }
}

/// Why a photograph cannot teach its own network.
public enum ZeroShotError: Error, Equatable, CustomStringConvertible {
    case tooSmall(height: Int, width: Int, least: Int)
    case diverged(step: Int)

    public var description: String {
        switch self {
        case .tooSmall(let height, let width, let least):
            "\(width)×\(height) pixels are too few to learn from, at least \(least)×\(least) are needed: "
                + "use --method amsnet"
        case .diverged(let step):
            "learning from the photograph diverged at step \(step): use another --seed, or --method amsnet"
        }
    }
}
