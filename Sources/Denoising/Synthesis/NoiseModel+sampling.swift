import Foundation

extension NoiseModel {
    /// A camera at random, with noise of a random strength. Seven in ten are ordinary photographs: log-normal around
    /// 2.5 of 255 on flat grey after processing, 19 of 20 between 0.9 and 7.4. The rest are what a model must not fail
    /// on: nights and telephones (log-uniform, 4…25), and photographs that need nothing (below 0.5).
    ///
    /// The ranges were fitted to flat areas of 56 photographs by five system cameras, whose true noise is known, and
    /// reach beyond them on all sides. Medians, theirs and (on flat colours) these: deviation of luma 2.6, 2.4;
    /// correlation of the channels at lag 1 0.68, 0.72, lag 2 0.33, 0.37, lag 3 0.20, 0.22, lag 4 0.18, 0.17, lag 8
    /// 0.08, 0.09; of chroma at lag 1 0.93, 0.94, lag 4 0.66, 0.71, lag 8 0.34, 0.41; between red and green 0.73, 0.68.
    public static func sampled(using generator: inout SeededGenerator) -> NoiseModel {
        let kind = generator.uniform()
        let deviation =
            switch kind {
            case ..<0.08: generator.uniform(0.02...0.5)
            case ..<0.3: exp(generator.uniform(log(4)...log(25)))
            default: min(max(2.5 * exp(0.55 * generator.normal()), 0.5), 20)
            }
        return sampled(deviation: deviation / 255, using: &generator)
    }

    /// A camera at random whose luma noise on flat grey has the given standard deviation, in units of 1.
    public static func sampled(deviation: Float, using generator: inout SeededGenerator) -> NoiseModel {
        var model = NoiseModel()
        model.sampleSensor(using: &generator)
        let chromaShare = model.sampleProcessing(using: &generator)
        model.calibrate(to: deviation, chromaShare: chromaShare, using: &generator)
        return model
    }

    private mutating func sampleSensor(using generator: inout SeededGenerator) {
        // So little that nothing reaches black or white before the strength is set.
        shotGain = 1e-5
        // Read noise per shot noise at a tenth of full scale, from a new sensor to an old one.
        let readShare = exp(generator.uniform(log(0.05)...log(1.5)))
        readDeviation = (shotGain * 0.1).squareRoot() * readShare
        rowDeviation = generator.chance(0.2) ? readDeviation * generator.uniform(0...0.4) : 0
        whiteBalance = [generator.uniform(1.3...2.6), 1, generator.uniform(1.2...2.4)]
        let typical: [Float] = [1.7, -0.5, -0.2, -0.15, 1.5, -0.35, 0.05, -0.6, 1.55]
        let strength = generator.uniform(0.2...1.2)
        for row in 0..<3 {
            for column in 0..<3 where column != row {
                colourMatrix[3 * row + column] = typical[3 * row + column] * strength + 0.06 * generator.normal()
            }
            colourMatrix[4 * row] = 1 - (0..<3).filter { $0 != row }.reduce(0) { $0 + colourMatrix[3 * row + $1] }
        }
        let kind = generator.uniform()
        demosaicing = kind < 0.12 ? .none : kind < 0.4 ? .bilinear : .gradientCorrected
        contrast = generator.chance(0.3) ? 0 : generator.uniform(0...0.7)
    }

    /// - Returns: deviation of blue and red differences per deviation of luma; nil to leave it as the sensor has it.
    private mutating func sampleProcessing(using generator: inout SeededGenerator) -> Float? {
        var chromaShare: Float?
        if generator.chance(0.88) {
            // Noise reduction takes most of the finest band and less of every coarser one, from chroma far more than
            // from luma. Some telephones leave little but blotches of luma, and do so in textured areas as well.
            let isHeavy = generator.chance(0.12)
            let luma = isHeavy ? exp(generator.uniform(log(0.03)...log(0.25))) : generator.uniform(0.25...0.95)
            let lumaDecay = isHeavy ? generator.uniform(0.3...0.6) : generator.uniform(0.4...0.95)
            lumaGains = (0..<4).map { pow(luma, pow(lumaDecay, Float($0))) }
            let chroma = exp(generator.uniform(log(0.001)...log(0.15)))
            let chromaShape = generator.uniform(0.7...2.2)
            chromaGains = (0..<5).map { pow(chroma, pow(1 - Float($0) / 4, chromaShape)) }
            chromaShare = min(max(0.45 * exp(0.4 * generator.normal()), 0.12), 1.2)
            chromaBlur = generator.uniform(0.5...2)
            adaptivity = generator.uniform(0...(isHeavy ? 0.2 : 1))
            chromaAdaptivity = generator.uniform(0...(isHeavy ? 0.2 : 1))
            textureGain = generator.uniform(0...(isHeavy ? 0.2 : 2))
            textureThreshold = exp(generator.uniform(log(0.05)...log(1.5)))
        }
        let blur = generator.chance(0.15) ? 0 : generator.uniform(0.3...0.8)
        blurAcross = blur * generator.uniform(0.9...1.15)
        blurDown = blur * generator.uniform(0.9...1.1)
        sharpening = generator.chance(0.5) ? 0 : generator.uniform(0...1)
        stretch = generator.chance(0.15) ? generator.uniform(1.05...1.8) : 1
        softness = generator.chance(0.4) ? 0 : generator.uniform(0.2...0.7)
        if generator.chance(0.65) {
            // Cameras save well; photographs that were edited or sent do not.
            let quality = generator.chance(0.7) ? generator.uniform(90...100) : generator.uniform(70...90)
            jpeg = JPEGQuantisation(quality: Int(quality.rounded()), halvesChroma: generator.chance(0.5))
        }
        isEightBit = jpeg != nil || generator.chance(0.5)
        return chromaShare
    }

    /// Scales the sensor's noise so that flat grey comes out with the given deviation of luma, and what is left of
    /// chroma so that it has the given share of that.
    private mutating func calibrate(to deviation: Float, chromaShare: Float?, using generator: inout SeededGenerator) {
        let grey = [Plane](repeating: Plane(width: 64, height: 64, repeating: 0.45), count: 3)
        let planes = PhotographNoise(model: self, width: 64, height: 64).residual(of: grey, using: &generator)
        func measured(_ value: (Int) -> Float) -> Float {
            let sum = (0..<64 * 64).reduce(Float(0)) { $0 + value($1) * value($1) }
            return max((sum / (64 * 64)).squareRoot(), 1e-6)
        }
        let luma = PhotographNoise.luma(planes)
        let lumaDeviation = measured { luma.samples[$0] }
        if let chromaShare {
            // Blue and red differences in the scale of YCbCr.
            let blue = measured { (planes[2].samples[$0] - luma.samples[$0]) / 1.772 }
            let red = measured { (planes[0].samples[$0] - luma.samples[$0]) / 1.402 }
            let factor = chromaShare * lumaDeviation / ((blue * blue + red * red) / 2).squareRoot()
            chromaScale = factor
        }
        let factor = deviation / lumaDeviation
        shotGain *= factor * factor
        readDeviation *= factor
        rowDeviation *= factor
    }
}
