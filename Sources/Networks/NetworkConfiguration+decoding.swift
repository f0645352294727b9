// Configurations also come from model files, which may hold anything: what no network can be built from is refused.
// The bounds lie far above every useful network and far below what would overflow.

extension NAFNetBase.Configuration {
    private enum CodingKeys: CodingKey { case width, encoder, middle, decoder }

    /// - Throws: `DecodingError` for values that no network can be built from.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            width: try values.decode(Int.self, forKey: .width),
            encoder: try values.decode([Int].self, forKey: .encoder),
            middle: try values.decode(Int.self, forKey: .middle),
            decoder: try values.decode([Int].self, forKey: .decoder))
        let levels = encoder.count
        try values.require((1...8).contains(levels), .encoder, "between 1 and 8 levels are needed")
        try values.require(self.decoder.count == levels, .decoder, "encoder and decoder need equally many levels")
        try values.require(isWidth(width), .width, "an even number up to 4096 is needed")
        let depths = encoder + [middle] + self.decoder
        try values.require(depths.allSatisfy(isDepth), .encoder, "0 to 256 blocks are needed")
    }
}

extension Restormer.Configuration {
    private enum CodingKeys: CodingKey { case dim, blocks, refinement, heads }

    /// - Throws: `DecodingError` for values that no network can be built from.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            dim: try values.decode(Int.self, forKey: .dim), blocks: try values.decode([Int].self, forKey: .blocks),
            refinement: try values.decode(Int.self, forKey: .refinement),
            heads: try values.decode([Int].self, forKey: .heads))
        try values.require(isWidth(dim), .dim, "an even number up to 4096 is needed")
        try values.require(blocks.count == 4 && heads.count == 4, .blocks, "four levels are needed")
        try values.require((blocks + [refinement]).allSatisfy(isDepth), .blocks, "0 to 256 blocks are needed")
        let dividing = heads.indices.allSatisfy { heads[$0] > 0 && (dim << $0) % heads[$0] == 0 }
        try values.require(dividing, .heads, "heads must divide the channels of their level")
    }
}

extension NAFNet.Configuration {
    private enum CodingKeys: CodingKey { case width, encoder, middle, decoder, depthwise, feed }

    /// - Throws: `DecodingError` for values that no network can be built from.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            width: try values.decode(Int.self, forKey: .width),
            encoder: try values.decode([Int].self, forKey: .encoder),
            middle: try values.decode(Int.self, forKey: .middle),
            decoder: try values.decode([Int].self, forKey: .decoder),
            depthwise: try values.decode(Int.self, forKey: .depthwise),
            feed: try values.decode(Int.self, forKey: .feed))
        let levels = encoder.count
        try values.require((1...8).contains(levels), .encoder, "between 1 and 8 levels are needed")
        try values.require(self.decoder.count == levels, .decoder, "encoder and decoder need equally many levels")
        try values.require(isWidth(width), .width, "an even number up to 4096 is needed")
        try values.require(
            (1...16).contains(depthwise) && (1...16).contains(feed), .depthwise, "1 to 16 times the width is needed")
        let depths = encoder + [middle] + self.decoder
        try values.require(depths.allSatisfy(isDepth), .encoder, "0 to 256 blocks are needed")
    }
}

extension UNet.Configuration {
    private enum CodingKeys: CodingKey { case width, head }

    /// - Throws: `DecodingError` for values that no network can be built from.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            width: try values.decode(Int.self, forKey: .width), head: try values.decode(Int.self, forKey: .head))
        try values.require(isChannels(width) && isChannels(head), .width, "1 to 4096 channels are needed")
    }
}

extension StudentUNet.Configuration {
    private enum CodingKeys: CodingKey { case width, decoder, reduction }

    /// - Throws: `DecodingError` for values that no network can be built from.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            width: try values.decode(Int.self, forKey: .width),
            decoder: try values.decode(Int.self, forKey: .decoder),
            reduction: try values.decodeIfPresent(Int.self, forKey: .reduction))
        try values.require(isChannels(width) && isChannels(self.decoder), .width, "1 to 4096 channels are needed")
        try values.require(reduction ?? 2 == 2, .reduction, "2 or nothing is needed")
    }
}

extension DnCNN.Configuration {
    private enum CodingKeys: CodingKey { case width, convolutions }

    /// - Throws: `DecodingError` for values that no network can be built from.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            width: try values.decode(Int.self, forKey: .width),
            convolutions: try values.decode(Int.self, forKey: .convolutions))
        try values.require(isChannels(width), .width, "1 to 4096 channels are needed")
        try values.require((2...256).contains(convolutions), .convolutions, "2 to 256 convolutions are needed")
    }
}

extension DBSN.Configuration {
    private enum CodingKeys: CodingKey { case width, modules, isDilated }

    /// - Throws: `DecodingError` for values that no network can be built from.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            width: try values.decode(Int.self, forKey: .width),
            modules: try values.decode(Int.self, forKey: .modules),
            isDilated: try values.decode(Bool.self, forKey: .isDilated))
        try values.require(isWidth(width), .width, "an even number up to 4096 is needed")
        try values.require(isDepth(modules), .modules, "0 to 256 modules are needed")
    }
}

extension DeamNet.Configuration {
    private enum CodingKeys: CodingKey { case width, reduced }

    /// - Throws: `DecodingError` for values that no network can be built from.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            width: try values.decode(Int.self, forKey: .width), reduced: try values.decode(Int.self, forKey: .reduced))
        try values.require(isChannels(width) && isChannels(reduced), .width, "1 to 4096 channels are needed")
    }
}

extension ZSN2N.Configuration {
    private enum CodingKeys: CodingKey { case channels, width }

    /// - Throws: `DecodingError` for values that no network can be built from, and for grey networks, which only learn
    ///   from the photograph that they are for.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            channels: try values.decode(Int.self, forKey: .channels), width: try values.decode(Int.self, forKey: .width)
        )
        try values.require(channels == 3, .channels, "three channels are needed")
        try values.require(isChannels(width), .width, "1 to 4096 channels are needed")
    }
}

extension BayesianDBSN.Configuration {
    private enum CodingKeys: CodingKey { case channels, width, blocks, noise }

    /// - Throws: `DecodingError` for values that no network can be built from, and for grey networks, as photographs
    ///   are denoised in colour.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            channels: try values.decode(Int.self, forKey: .channels),
            width: try values.decode(Int.self, forKey: .width), blocks: try values.decode(Int.self, forKey: .blocks),
            noise: try values.decode(BayesianDBSN.Noise.self, forKey: .noise))
        try values.require(channels == 3, .channels, "three channels are needed")
        try values.require(isChannels(width), .width, "1 to 4096 channels are needed")
        try values.require(isDepth(blocks), .blocks, "0 to 256 blocks are needed")
    }
}

extension MWCNN.Configuration {
    private enum CodingKeys: CodingKey { case widths }

    /// - Throws: `DecodingError` for values that no network can be built from.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(widths: try values.decode([Int].self, forKey: .widths))
        try values.require((1...8).contains(widths.count), .widths, "between 1 and 8 levels are needed")
        try values.require(widths.allSatisfy(isChannels), .widths, "1 to 4096 channels are needed")
    }
}

private func isChannels(_ count: Int) -> Bool { (1...4096).contains(count) }

private func isWidth(_ channels: Int) -> Bool { (2...4096).contains(channels) && channels % 2 == 0 }

private func isDepth(_ blocks: Int) -> Bool { (0...256).contains(blocks) }

extension KeyedDecodingContainer {
    fileprivate func require(_ condition: Bool, _ key: Key, _ message: String) throws {
        if !condition { throw DecodingError.dataCorruptedError(forKey: key, in: self, debugDescription: message) }
    }
}
