import Imaging

/// How a camera's noise differs where the picture has texture from that of its flat areas.
///
/// Noise reduction holds back where it finds detail, so that there is more noise, and noise that is less smoothed. On 56
/// pairs of five cameras, whose true noise is known once both sides have been registered, the fifth of the blocks with
/// most texture has 1.2 to 2.8 times (in eight of ten pairs; median 1.7) the deviation of luma of the fifth with least, and
/// 1.5 to 5.2 times (2.6) that of colour; neighbours' luma correlates by 0.56 to 0.72 (0.63) on flat areas, and in texture
/// by 0.25 to 0.64 (0.52).
public struct NoiseAdaptivity: Sendable, Equatable {
    /// In full texture, luma's deviation is 1 + `luma` times that of flat areas.
    public var luma: Float = 0
    /// The same of what red and blue differ from luma.
    public var chroma: Float = 0
    /// The share of luma's variance, in full texture, whose power spectrum is the square root of that of flat areas, 0…1.
    public var whitening: Float = 0

    public init() {}

    var isNone: Bool { self == NoiseAdaptivity() }

    /// A camera's at random, from none on.
    static func sampled(using generator: inout SeededGenerator) -> NoiseAdaptivity {
        var adaptivity = NoiseAdaptivity()
        adaptivity.luma = generator.uniform(0...2)
        adaptivity.chroma = adaptivity.luma * generator.uniform(1...3.5)
        adaptivity.whitening = generator.uniform(0...1)
        return adaptivity
    }
}
