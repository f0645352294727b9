import Tensors

/// What NAFNet and its baseline differ in.
protocol NAFNetBlock: Sendable {
    func callAsFunction(_ x: Variable, _ pass: Pass) -> Variable
}

/// The U that NAFNet and its baseline share: blocks on each level, 2×2 convolutions of stride 2 down, 1×1 convolutions
/// and pixel shuffles up, skips and the image itself added (spec B.2). Channels double at each level.
struct NAFNetShape<Block: NAFNetBlock>: Sendable {
    private let intro: Convolution
    private let encoders: [[Block]]
    private let downs: [Convolution]
    private let middle: [Block]
    private let ups: [Convolution]
    private let decoders: [[Block]]
    private let ending: Convolution

    /// - Parameters:
    ///   - width: channels at full resolution.
    ///   - encoder: blocks of each encoder level, finest first.
    ///   - decoder: blocks of each decoder level, deepest first; as many levels as the encoder.
    ///   - block: makes a block of so many channels in a scope.
    init(
        _ scope: ParameterScope, width: Int, encoder: [Int], middle middleCount: Int, decoder: [Int],
        block: (ParameterScope, Int) -> Block
    ) {
        let levels = encoder.count
        let channels = (0...levels).map { width << $0 }
        func blocks(_ name: ParameterScope, _ count: Int, level: Int) -> [Block] {
            let scope = name.reduced(by: 1 << level)
            return (0..<count).map { block(scope[$0], channels[level]) }
        }
        intro = scope.dense3x3("intro", from: 3, to: channels[0], bias: true)
        encoders = (0..<levels).map { blocks(scope["encoders"][$0], encoder[$0], level: $0) }
        downs = (0..<levels).map {
            Convolution(
                scope["downs"].reduced(by: 1 << $0)[$0], .halving2x2, from: channels[$0], to: channels[$0 + 1],
                bias: true)
        }
        middle = blocks(scope["middle_blks"], middleCount, level: levels)
        ups = (0..<levels).map {
            scope["ups"].reduced(by: 1 << (levels - $0))[$0].pointwise(
                "0", from: channels[levels - $0], to: 2 * channels[levels - $0], bias: false)
        }
        decoders = (0..<levels).map { blocks(scope["decoders"][$0], decoder[$0], level: levels - 1 - $0) }
        ending = scope.dense3x3("ending", from: channels[0], to: 3, bias: true)
    }

    /// - Parameter image: sides are multiples of 2^levels.
    func callAsFunction(_ image: Variable, _ pass: Pass) -> Variable {
        var x = intro(image, pass)
        var skips: [Variable] = []
        for (blocks, down) in zip(encoders, downs) {
            for block in blocks { x = block(x, pass) }
            skips.append(x)
            x = down(x, pass)
        }
        for block in middle { x = block(x, pass) }
        for (up, blocks) in zip(ups, decoders) {
            x = pixelShuffle(up(x, pass), factor: 2, adding: skips.removeLast())
            for block in blocks { x = block(x, pass) }
        }
        return add(ending(x, pass), image)
    }
}
