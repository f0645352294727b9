import Imaging

/// Clean and noisy versions of one photograph, for training.
public struct NoisePair: Sendable {
    public let clean: PlanarImage
    public let noisy: PlanarImage
}

extension NoiseModel {
    /// The photograph as this camera would have taken it, with and without noise.
    ///
    /// - Parameter photograph: three channels of sRGB in [0, 1], shrunk beforehand so that it has no noise of its own.
    /// - Returns: two images of the same size in [0, 1]. They differ by the noise, its processing and the rounding of
    ///   saving; the halved chroma of a JPEG is the same in both.
    /// - Precondition: the photograph has three channels.
    public func pair(from photograph: PlanarImage, using generator: inout SeededGenerator) -> NoisePair {
        precondition(photograph.channels == 3, "synthesis needs red, green and blue")
        let (width, height) = (photograph.width, photograph.height)
        let plane = width * height
        var clean = (0..<3).map { channel in
            Plane(
                width: width, height: height,
                samples: photograph.samples[channel * plane..<(channel + 1) * plane].map { min(max($0, 0), 1) }
            ).blurred(across: softness, down: softness)
        }
        var noisy = PhotographNoise(model: self, width: width, height: height).residual(of: clean, using: &generator)
        for channel in 0..<3 {
            for index in 0..<plane {
                let value = min(max(clean[channel].samples[index] + noisy[channel].samples[index], 0), 1)
                noisy[channel].samples[index] = isEightBit ? (value * 255).rounded(.toNearestOrEven) / 255 : value
            }
        }
        if let jpeg {
            let phase = JPEGQuantisation.Phase(
                row: Int(generator.next() & 15), column: Int(generator.next() & 15))
            noisy = jpeg.saved(noisy, phase: phase)
            clean = jpeg.subsampled(clean, phase: phase)
        }
        func image(_ planes: [Plane]) -> PlanarImage {
            PlanarImage(width: width, height: height, channels: 3, samples: planes.flatMap(\.samples))
        }
        return NoisePair(clean: image(clean), noisy: image(noisy))
    }
}
