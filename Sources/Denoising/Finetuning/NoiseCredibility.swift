import Imaging

/// Which captures' noise is noise.
///
/// It is measured on flat areas, and a capture that has none, such as one of plush, has its texture measured. Taught
/// as noise, that texture would be taken from every photograph. A network that knows better betrays it: it takes away about
/// as much as was measured of noise, and far less of texture. (Of 44 captures of five cameras, forty show 0.6 to 1.4 times
/// the deviation that the shipped model takes away, 1.0 in the median; four, of plush, mosaic, grass and wallpaper, 1.9
/// to 2.4 times.)
struct NoiseCredibility: Sendable {
    /// How many times the median the measured noise may be.
    private static let most: Float = 1.5

    /// Largest share that is believed.
    private let limit: Float

    /// - Parameter shares: of all captures that are looked at together, so that a model that takes too little away
    ///   everywhere counts none of them out.
    init(_ shares: [Float]) {
        limit = shares.isEmpty ? 0 : Self.most * shares.sorted()[shares.count / 2]
    }

    func believes(_ share: Float) -> Bool { share <= limit }

    /// Deviation of the noise that was measured on a capture's flat areas per that of the luma that a network took away.
    static func share(of capture: Capture, beside denoised: PlanarImage) -> Float {
        let removed = zip(capture.pixels.luma, denoised.luma).reduce(Float(0)) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        let pixels = Float(capture.pixels.width * capture.pixels.height)
        return capture.noise.deviation / max((removed / pixels).squareRoot(), 1e-6)
    }
}
