import CImageShims

/// The kind of file that a photograph came from.
public enum ImageFormat: String, Sendable, CaseIterable {
    case png, jpeg, tiff
    /// A camera's sensor data, developed by LibRaw.
    case raw
}

/// One decoded image with everything that its output needs beside the pixels.
public struct Photograph: Sendable {
    public var pixels: PixelBuffer
    public var metadata: Metadata
    /// The ICC profile that says what the samples mean; nil for untagged images, which are taken for sRGB.
    public var iccProfile: [UInt8]?
    /// The EXIF block: a TIFF structure without the JPEG prefix "Exif\0\0". Nil for TIFF and RAW, whose camera data
    /// live in `metadata`.
    public var exif: [UInt8]?
    /// The XMP packet: ratings, captions and what else people wrote. Nil for RAW, whose packet tells a developer what
    /// to do with the sensor data.
    public var xmp: [UInt8]?
    /// A PNG's own statement of gamma and primaries, carried over to PNG outputs. Samples are never changed by it.
    public var colorimetry: Colorimetry?
    public let format: ImageFormat
    /// Bits of a sample as stored in the file; `pixels` may hold more (4-bit grey becomes 8, 12 bits become 16).
    public let sourceBitDepth: Int
    /// Images in the file. Only the first full-size one is decoded.
    public let pages: Int

    public init(
        pixels: PixelBuffer, metadata: Metadata = Metadata(), iccProfile: [UInt8]? = nil, exif: [UInt8]? = nil,
        xmp: [UInt8]? = nil, colorimetry: Colorimetry? = nil, format: ImageFormat, sourceBitDepth: Int? = nil,
        pages: Int = 1
    ) {
        self.pixels = pixels
        self.metadata = metadata
        self.iccProfile = iccProfile
        self.exif = exif
        self.xmp = xmp
        self.colorimetry = colorimetry
        self.format = format
        self.sourceBitDepth = sourceBitDepth ?? pixels.bitDepth
        self.pages = pages
    }
}

/// The PNG chunks gAMA, cHRM and sRGB, as stored (PNG specification 11.3.2): numbers are multiples of 1/100,000.
public struct Colorimetry: Sendable, Equatable {
    public var gamma: Int32?
    /// White, red, green and blue point, x and y each.
    public var chromaticities: [Int32]?
    /// sRGB rendering intent.
    public var renderingIntent: Int32?

    public init(gamma: Int32? = nil, chromaticities: [Int32]? = nil, renderingIntent: Int32? = nil) {
        self.gamma = gamma
        self.chromaticities = chromaticities
        self.renderingIntent = renderingIntent
    }

    /// Nil when the file has none of the chunks.
    init?(_ shim: ShimPNGColorimetry) {
        guard shim.has_gamma != 0 || shim.has_chromaticities != 0 || shim.has_intent != 0 else { return nil }
        let c = shim.chromaticities
        self.init(
            gamma: shim.has_gamma != 0 ? shim.gamma : nil,
            chromaticities: shim.has_chromaticities != 0 ? [c.0, c.1, c.2, c.3, c.4, c.5, c.6, c.7] : nil,
            renderingIntent: shim.has_intent != 0 ? shim.intent : nil)
    }

    var shim: ShimPNGColorimetry {
        var shim = ShimPNGColorimetry()
        if let gamma {
            shim.has_gamma = 1
            shim.gamma = gamma
        }
        if let c = chromaticities, c.count == 8 {
            shim.has_chromaticities = 1
            shim.chromaticities = (c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7])
        }
        if let renderingIntent {
            shim.has_intent = 1
            shim.intent = renderingIntent
        }
        return shim
    }
}
