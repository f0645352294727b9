/// What a decoder may spend on one file. Every limit is checked against the header, before memory is taken.
///
/// The defaults admit every camera sold today (151 megapixels) and stop decompression bombs.
public struct DecodingLimits: Sendable, Equatable {
    /// Millions of pixels.
    public var megapixels: Double
    /// Pixels along the longer side.
    public var side: Int
    /// Bytes of the file itself.
    public var fileBytes: Int
    /// Bytes of decoded samples, and of each block that a library allocates.
    public var sampleBytes: Int
    /// Whether a symbolic link stands for the file that it points to: only where a person named it, never in an inbox.
    public var followsLinks: Bool
    /// Whether cameras' sensor data are decoded at all: LibRaw is the library that most often had to be repaired, so
    /// that a process without walls around it leaves RAW alone.
    var decodesSensorData = true

    /// - Parameter sampleBytes: nil allows 8 bytes a pixel, four 16-bit channels, at the limit of `megapixels`.
    public init(
        megapixels: Double = 300, side: Int = 65_535, fileBytes: Int = 4 << 30, sampleBytes: Int? = nil,
        followsLinks: Bool = false
    ) {
        self.megapixels = megapixels
        self.side = side
        self.fileBytes = fileBytes
        self.sampleBytes = sampleBytes ?? Int(megapixels * 1e6) * 8
        self.followsLinks = followsLinks
    }

    /// Checks a size that a header claims.
    ///
    /// - Parameter bytesPerPixel: of the decoded samples.
    func check(width: Int, height: Int, bytesPerPixel: Int, file: String) throws(ImagingError) {
        guard width > 0, height > 0 else {
            throw ImagingError(
                .malformed, .decode, file: file, cause: "its size is \(width)x\(height) pixels",
                remedy: "copy it again from the camera or its source")
        }
        guard max(width, height) <= side else {
            throw exceeded(file, "\(width)x\(height) pixels exceed the limit of \(side) on a side", "limits.side")
        }
        // Both sides fit 32 bits here, so that the products below fit 64.
        let pixels = width * height
        guard Double(pixels) <= megapixels * 1e6 else {
            let size = "\(Self.rounded(Double(pixels) / 1e6)) MP"
            throw exceeded(file, "\(size) exceeds the limit of \(Self.rounded(megapixels)) MP", "limits.megapixels")
        }
        guard pixels * bytesPerPixel <= sampleBytes else {
            let size = "\(pixels * bytesPerPixel >> 20) MiB of samples"
            throw exceeded(file, "\(size) exceed the limit of \(sampleBytes >> 20) MiB", "limits.megapixels")
        }
    }

    private func exceeded(_ file: String, _ cause: String, _ key: String) -> ImagingError {
        ImagingError(
            .limitExceeded, .decode, file: file, cause: "\(cause) (\(key))",
            remedy: "raise the limit or shrink the image")
    }

    /// "412", "0.25": three digits at most, without trailing zeros.
    private static func rounded(_ value: Double) -> String {
        let text = value >= 10 ? String(Int(value.rounded())) : String((value * 100).rounded() / 100)
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}
