import Networks
import Tensors

/// AMSNet inference: the multi-mask block under pixel downsampling, then T refinements (spec A.6 and A.8).
///
/// Random fields depend on the seed and on absolute positions, so that a tile computes exactly what the whole image
/// would compute there, whichever tile comes first and however many threads work.
public struct AMSNet: TileDenoiser {
    public let network: any Network
    public let weights: Weights
    /// Names every random field of one photograph.
    public let seed: UInt64
    /// Stride of pixel downsampling in the first stage; the published inference uses 2.
    public let stride: Int
    /// What the network was taught to find in the place of hidden pixels.
    public let hiddenPixels: HiddenPixels
    /// Whether what the network makes of pixels that it saw counts too (`MaskedEstimate.joined`): for models that were
    /// taught plain passes. Otherwise each pixel comes from the pass that did not see it, as published.
    public let usesSeenPixels: Bool
    /// Refinement copies T, suffix E of the variant's name; 0 returns the first stage's result.
    public let refinements: Int
    /// Probability p that a refinement copy puts a noisy pixel back. At 1 each copy is the noisy image under fresh
    /// masks.
    public let replacement: Double
    /// The published p (spec A.8).
    public static let publishedReplacement = 0.16

    public init(
        network: any Network, weights: Weights, seed: UInt64, stride: Int = 2, hiddenPixels: HiddenPixels = .zero,
        usesSeenPixels: Bool = false, refinements: Int = 8, replacement: Double = publishedReplacement
    ) {
        self.network = network
        self.weights = weights
        self.seed = seed
        self.stride = stride
        self.hiddenPixels = hiddenPixels
        self.usesSeenPixels = usesSeenPixels
        self.refinements = refinements
        self.replacement = replacement
    }

    /// Network passes over every pixel.
    public var passes: Int { 2 + 2 * refinements }

    /// Denoises one tile.
    ///
    /// - Parameters:
    ///   - noisy: [3, 1, height, width] in [0, 1], any size; it is padded with zeros, which count as hidden (spec A.7).
    ///   - row: absolute row of the tile's first pixel, a multiple of `alignment`.
    ///   - column: absolute column of the tile's first pixel, a multiple of `alignment`.
    ///   - threads: workers for the independent passes.
    /// - Returns: [3, 1, height, width], not clamped.
    public func denoise(_ noisy: Tensor, row: Int = 0, column: Int = 0, threads: Int = 1) throws -> Tensor {
        let window = Window(
            row: row, column: column, height: roundUp(noisy.height), width: roundUp(noisy.width),
            filledHeight: noisy.height, filledWidth: noisy.width)
        let first = try multiMaskBlock(
            window.padded(noisy), window, stride: stride, stage: .first, threads: threads)
        let estimate = output(of: first, for: noisy, window)
        return refinements == 0 ? estimate : try refine(noisy, estimate, window, threads: threads)
    }

    /// Mean of T multi-mask blocks at full resolution, each on the estimate with a share p of noisy pixels put back.
    ///
    /// Networks learn from mirrored crops (spec A.9), but do not err alike on both sides: of four copies one looks at the
    /// photograph as it is, the others mirror it across, down, and both.
    private func refine(_ noisy: Tensor, _ estimate: Tensor, _ window: Window, threads: Int) throws -> Tensor {
        let (y, estimate) = (window.padded(noisy), window.padded(estimate))
        let copies = try parallelMap(refinements, threads: threads) { copy in
            let replaced = field(.replacement(copy), probability: replacement).window(window)
            let mixed = select(replaced, Variable(y), Variable(estimate)).tensor
            return try multiMaskBlock(
                mixed, window, stride: 1, stage: .refinement(copy), mirroring: Mirroring(copy), threads: 1)
        }
        return output(of: .mean(copies), for: noisy, window)
    }

    private func output(of estimate: MaskedEstimate, for noisy: Tensor, _ window: Window) -> Tensor {
        MaskedEstimate(hidden: window.filled(estimate.hidden), seen: estimate.seen.map(window.filled))
            .joined(for: noisy)
    }

    /// MMDB with k = 2: each mask's hidden pixels come from the pass that did not see them (spec A.3).
    private func multiMaskBlock(
        _ image: Tensor, _ window: Window, stride: Int, stage: Stage,
        mirroring: Mirroring = Mirroring(0), threads: Int
    ) throws -> MaskedEstimate {
        let hidden = field(stage, probability: 0.5).window(window)
        let subImages = pixelDownsample(Variable(image), stride: stride).tensor
        let mask = pixelDownsample(Variable(hidden), stride: stride).tensor
        let inside = pixelDownsample(Variable(window.inside), stride: stride).tensor
        let outputs = try parallelMap(2, threads: threads) { branch in
            let visible = masked(Variable(branch == 0 ? complement(mask) : mask), by: inside).tensor
            let input = hiddenPixels.input(subImages, visible: visible)
            return network.infer(input.mirrored(mirroring), weights).mirrored(mirroring)
        }
        let (first, second) = (Variable(outputs[0]), Variable(outputs[1]))
        func joined(_ here: Variable, _ elsewhere: Variable) -> Tensor {
            pixelUpsample(select(mask, here, elsewhere), stride: stride).tensor
        }
        return MaskedEstimate(
            hidden: joined(first, second), seen: usesSeenPixels ? joined(second, first) : nil)
    }

    /// What a random field is for.
    private enum Stage {
        case first
        case refinement(Int)
        case replacement(Int)

        var salt: UInt64 {
            switch self {
            case .first: 1
            case .refinement(let copy): 1 << 32 | UInt64(copy)
            case .replacement(let copy): 2 << 32 | UInt64(copy)
            }
        }
    }

    private func field(_ stage: Stage, probability: Double) -> RandomField {
        RandomField(key: RandomSource.mix(seed, stage.salt), probability: probability)
    }
}

/// A rectangle of the padded photograph, in absolute pixels.
struct Window: Sendable {
    let row: Int
    let column: Int
    let height: Int
    let width: Int
    /// The rows and columns, from the first, that are no padding.
    let filledHeight: Int
    let filledWidth: Int

    /// [1, 1, height, width]: 1, and 0 in the padding.
    var inside: Tensor { padded(Tensor([1, 1, filledHeight, filledWidth], repeating: 1)) }

    /// An image of the filled size with zeros below and to the right.
    func padded(_ image: Tensor) -> Tensor {
        Tensors.padded(Variable(image), height: height, width: width).tensor
    }

    /// The image without its padding.
    func filled(_ image: Tensor) -> Tensor {
        cropped(Variable(image), height: filledHeight, width: filledWidth).tensor
    }
}

extension RandomField {
    func window(_ window: Window) -> Tensor {
        self.window(
            rows: window.row..<window.row + window.height, columns: window.column..<window.column + window.width)
    }
}
