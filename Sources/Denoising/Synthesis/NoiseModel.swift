/// A camera at one sensitivity and its processing: everything that makes the noise of a photograph what it is.
///
/// Light falls on a mosaic of photosites, where it gets shot and read noise; the processing fills in colours, converts
/// them, suppresses noise by scale, softens or sharpens, resamples and saves. Noise that went through this is
/// correlated between pixels and channels and depends on the signal, as that of real photographs.
public struct NoiseModel: Sendable {
    /// Variance per unit of sensor signal (1 is white before white balance).
    public var shotGain: Float = 0.001
    /// Standard deviation in the dark, same unit.
    public var readDeviation: Float = 0.002
    /// Standard deviation of an offset that a row of photosites has in common, same unit.
    public var rowDeviation: Float = 0
    /// Factors of the red, green and blue signal.
    public var whiteBalance: [Float] = [2, 1, 1.6]
    /// Camera colours to linear sRGB, row by row; every row adds up to 1.
    public var colourMatrix: [Float] = [1, 0, 0, 0, 1, 0, 0, 0, 1]
    public var demosaicing: Demosaicing = .gradientCorrected
    /// Strength of the camera's contrast curve on top of sRGB, 0…1.
    public var contrast: Float = 0
    /// What in-camera noise reduction leaves of the detail bands of luma, finest first, then of the remainder.
    public var lumaGains: [Float] = [1]
    /// The same for chroma.
    public var chromaGains: [Float] = [1]
    /// Factor of all chroma.
    public var chromaScale: Float = 1
    /// How much of luma's noise reduction is taken back in full texture, 0…1.
    public var adaptivity: Float = 0
    /// The same for chroma, by orders of magnitude: its gains to the power of 1 − this, 0…1.
    public var chromaAdaptivity: Float = 0
    /// How much further the deviation of the noise grows in full texture: 1 + this times.
    public var textureGain: Float = 0
    /// What counts as texture: mean squared gradient per variance of the noise.
    public var textureThreshold: Float = 1

    /// Noise is the same on flat areas and in texture.
    var ignoresTexture: Bool { adaptivity == 0 && chromaAdaptivity == 0 && textureGain == 0 }
    /// Deviation in pixels of a Gaussian that softens the noise along rows and along columns.
    public var blurAcross: Float = 0
    public var blurDown: Float = 0
    /// Deviation in pixels of a further one for chroma.
    public var chromaBlur: Float = 0
    /// Amount of an unsharp mask of radius 1.
    public var sharpening: Float = 0
    /// Pixels of the photograph per pixel of the sensor, at least 1: stretches the noise.
    public var stretch: Float = 1
    /// Deviation in pixels of a Gaussian that softens the photograph itself, clean and noisy alike.
    public var softness: Float = 0
    /// Nil: never saved as JPEG.
    public var jpeg: JPEGQuantisation?
    /// True if the noisy photograph holds multiples of 1/255; a JPEG always does.
    public var isEightBit = true

    public init() {}
}
