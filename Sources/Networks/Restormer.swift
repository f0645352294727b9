import Tensors

/// Restormer: transformer blocks with attention across channels, in a U of four levels (spec B.1).
public struct Restormer: Network {
    public struct Configuration: Sendable, Equatable, Codable {
        /// Channels at full resolution, even; they double at each level.
        public let dim: Int
        /// Blocks of the four levels, finest first; decoders have as many as encoders.
        public let blocks: [Int]
        /// Blocks after the last decoder level.
        public let refinement: Int
        /// Attention heads of the four levels.
        public let heads: [Int]

        public init(dim: Int, blocks: [Int], refinement: Int, heads: [Int]) {
            self.dim = dim
            self.blocks = blocks
            self.refinement = refinement
            self.heads = heads
        }

        /// The published network: 26,111,668 parameters, 2.36 MMAC per pixel.
        public static let published = Configuration(dim: 48, blocks: [4, 6, 6, 8], refinement: 4, heads: [1, 2, 4, 8])
    }

    public let configuration: NetworkConfiguration
    public let parameters: [Parameter]
    public let multiplicationsPerPixel: Double
    public let tiling: TileRequirements
    public var pixelsKept: Int { mostPixelsKept }

    private let embed: Convolution
    /// Levels 1 to 3, then the latent level.
    private let encoders: [[Block]]
    private let downs: [Convolution]
    /// From level 3 to level 1; level 1 has no channel reduction.
    private let ups: [Convolution]
    private let reductions: [Convolution?]
    private let decoders: [[Block]]
    private let refinement: [Block]
    private let output: Convolution

    public init(_ c: Configuration) {
        let registry = ParameterScope.Registry()
        let scope = ParameterScope(registry)
        func stage(_ name: String, _ channels: Int, level: Int, count: Int) -> [Block] {
            (0..<count).map {
                Block(scope[name].reduced(by: 1 << level)[$0], channels: channels, heads: c.heads[level])
            }
        }
        func resample(_ name: String, level: Int, from inputs: Int, to outputs: Int) -> Convolution {
            scope[name]["body"].reduced(by: 1 << level).dense3x3("0", from: inputs, to: outputs, bias: false)
        }
        let dims = (0..<4).map { c.dim << $0 }
        embed = scope["patch_embed"].dense3x3("proj", from: 3, to: c.dim, bias: false)
        encoders =
            (0..<3).map { stage("encoder_level\($0 + 1)", dims[$0], level: $0, count: c.blocks[$0]) }
            + [stage("latent", dims[3], level: 3, count: c.blocks[3])]
        downs = (0..<3).map { resample("down\($0 + 1)_\($0 + 2)", level: $0, from: dims[$0], to: dims[$0] / 2) }
        ups = [3, 2, 1].map { resample("up\($0 + 1)_\($0)", level: $0, from: dims[$0], to: 2 * dims[$0]) }
        reductions = [3, 2, 1].map { level in
            level == 1
                ? nil
                : scope.reduced(by: 1 << (level - 1)).pointwise(
                    "reduce_chan_level\(level)", from: dims[level], to: dims[level - 1], bias: false)
        }
        decoders = [3, 2, 1].map {
            stage("decoder_level\($0)", $0 == 1 ? 2 * c.dim : dims[$0 - 1], level: $0 - 1, count: c.blocks[$0 - 1])
        }
        refinement = stage("refinement", 2 * c.dim, level: 0, count: c.refinement)
        output = scope.dense3x3("output", from: 2 * c.dim, to: 3, bias: false)
        configuration = .restormer(c)
        parameters = registry.parameters
        multiplicationsPerPixel = registry.multiplications
        tiling = TileRequirements(multiple: 8, overlap: 64, bytesPerPixel: 4 * 12 * c.dim)
    }

    public func callAsFunction(_ image: Variable, _ pass: Pass) -> Variable {
        var x = embed(image, pass)
        var skips: [Variable] = []
        for level in 0..<4 {
            for block in encoders[level] { x = block(x, pass) }
            if level < 3 {
                skips.append(x)
                x = pixelUnshuffle(downs[level](x, pass), factor: 2)
            }
        }
        for step in 0..<3 {
            x = concatenate(pixelShuffle(ups[step](x, pass), factor: 2), skips.removeLast())
            if let reduction = reductions[step] { x = reduction(x, pass) }
            for block in decoders[step] { x = block(x, pass) }
        }
        for block in refinement { x = block(x, pass) }
        return add(output(x, pass), image)
    }
}

extension Restormer {
    /// x ← x + MDTA(norm1(x)); x ← x + GDFN(norm2(x)).
    struct Block: Sendable {
        let norm1: Parameter
        let temperature: Parameter
        let qkv: Convolution
        let qkvDepthwise: Convolution
        let attentionOut: Convolution
        let norm2: Parameter
        let feedIn: Convolution
        let feedDepthwise: Convolution
        let feedOut: Convolution
        let heads: Int

        init(_ scope: ParameterScope, channels: Int, heads: Int) {
            self.heads = heads
            let (attention, feed) = (scope["attn"], scope["ffn"])
            let hidden = Int(2.66 * Double(channels))
            norm1 = scope["norm1"]["body"].parameter("weight", [channels], .constant(1))
            temperature = attention.parameter("temperature", [heads, 1, 1], .constant(1))
            qkv = attention.pointwise("qkv", from: channels, to: 3 * channels, bias: false)
            qkvDepthwise = attention.depthwise3x3("qkv_dwconv", channels: 3 * channels, bias: false)
            attentionOut = attention.pointwise("project_out", from: channels, to: channels, bias: false)
            attention.count(multiplications: 2 * channels * channels / heads)
            norm2 = scope["norm2"]["body"].parameter("weight", [channels], .constant(1))
            feedIn = feed.pointwise("project_in", from: channels, to: 2 * hidden, bias: false)
            feedDepthwise = feed.depthwise3x3("dwconv", channels: 2 * hidden, bias: false)
            feedOut = feed.pointwise("project_out", from: hidden, to: channels, bias: false)
        }

        func callAsFunction(_ x: Variable, _ pass: Pass) -> Variable {
            let attention = AttentionBlockWeights(
                norm: pass[norm1], temperature: pass[temperature], qkv: pass[qkv.weight],
                depthwise: pass[qkvDepthwise.weight], project: pass[attentionOut.weight])
            let feed = GatedFeedForwardWeights(
                norm: pass[norm2], expand: pass[feedIn.weight], depthwise: pass[feedDepthwise.weight],
                contract: pass[feedOut.weight])
            return gatedFeedForward(attentionBlock(x, attention, heads: heads), feed)
        }
    }
}
