import CImageShims

extension ImageDecoder {
    /// Bytes that LibRaw works with per sensor pixel: mosaic (2), four-channel working image (8) and some margin.
    private static let rawBytesPerPixel = 12

    /// Develops sensor data to 16-bit sRGB (curve 1/2.4 with slope 12.92), upright, in the camera's white balance and
    /// by AHD. Brightness follows the sensor's white level: LibRaw's automatic brightening, which lets 1 % of the
    /// pixels clip, would make it depend on noise and content, so that two frames of one scene would differ.
    static func decodeRAW(
        _ bytes: UnsafeRawBufferPointer, _ name: String, _ limits: DecodingLimits
    ) throws(ImagingError) -> Photograph {
        guard limits.decodesSensorData else {
            throw ImagingError(
                .unconfined, .decode, file: name,
                cause: "it is camera RAW, and this system does not let a decoder lock itself in",
                remedy:
                    "allow seccomp filters, or set \(DecoderProcess.Confinement.variable)=preferred to trust your files"
            )
        }
        var failure = ShimFailure()
        var info = ShimRAWInfo()
        let memory = Int(limits.megapixels * 1e6) * rawBytesPerPixel
        guard let reader = shim_raw_open(bytes.baseAddress, bytes.count, memory, &info, &failure) else {
            throw unknownRAW(name, failure)
        }
        defer { shim_raw_close(reader) }
        try limits.check(width: Int(info.raw_width), height: Int(info.raw_height), bytesPerPixel: 6, file: name)
        try limits.check(width: Int(info.width), height: Int(info.height), bytesPerPixel: 6, file: name)
        var width: UInt32 = 0
        var height: UInt32 = 0
        var channels: Int32 = 0
        guard shim_raw_develop(reader, &width, &height, &channels, &failure) == 1 else {
            throw ImagingError(decoding: name, failure)
        }
        let rowSamples = Int(width) * Int(channels)
        try limits.check(width: Int(width), height: Int(height), bytesPerPixel: 2 * Int(channels), file: name)
        let decoded: [UInt16]? = samples(rowSamples * Int(height)) {
            shim_raw_copy(reader, $0, 2 * rowSamples, &failure) == 1
        }
        guard let decoded else { throw ImagingError(decoding: name, failure) }
        return Photograph(
            pixels: PixelBuffer(
                width: Int(width), height: Int(height), colourChannels: Int(channels), samples: .uint16(decoded)),
            metadata: Metadata(info), iccProfile: channels == 3 ? standardProfile() : nil, format: .raw,
            sourceBitDepth: info.bits > 0 ? Int(info.bits) : 16)
    }

    /// LibRaw is asked about everything unknown, so that its "unsupported" mostly means: no image at all.
    private static func unknownRAW(_ name: String, _ failure: ShimFailure) -> ImagingError {
        guard Int(failure.code) == SHIM_UNSUPPORTED else { return ImagingError(decoding: name, failure) }
        return ImagingError(
            .unsupported, .decode, file: name,
            cause: "it is no PNG, JPEG or TIFF, and LibRaw knows no camera that writes such a file",
            remedy: "convert it to DNG or a 16-bit TIFF, or leave it out")
    }

    /// The sRGB profile that developed images are tagged with.
    static func standardProfile() -> [UInt8]? {
        [UInt8](unsafeUninitializedCapacity: 16_384) { buffer, initialized in
            let count = shim_srgb_profile(buffer.baseAddress, buffer.count)
            initialized = count <= buffer.count ? count : 0
        }
    }
}

extension Metadata {
    /// What LibRaw knows; the developed image is upright.
    init(_ info: ShimRAWInfo) {
        self.init(
            make: Self.text(info.make), model: Self.text(info.model), lens: Self.text(info.lens),
            iso: Self.positive(info.iso), exposure: Self.positive(info.exposure),
            aperture: Self.positive(info.aperture),
            capturedAt: Self.text(info.captured_at).flatMap(Self.capturedAt(exif:)),
            location: info.has_location == 1
                ? Location(
                    latitude: info.latitude, longitude: info.longitude,
                    altitude: info.altitude == 0 ? nil : info.altitude) : nil)
    }

    /// A C string in a fixed array; nil when empty.
    private static func text<Characters>(_ characters: Characters) -> String? {
        let text = withUnsafeBytes(of: characters) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return text.isEmpty ? nil : text
    }

    /// LibRaw keeps single precision: 5.6 must not become 5.599999904632568.
    private static func positive(_ value: Double) -> Double? {
        value.isFinite && value > 0 ? Double(Float(value).description) : nil
    }
}
