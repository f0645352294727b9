import CImageShims

extension ImageDecoder {
    /// The first full-size image. Integers up to 8 bits become 8, wider ones 16; floats become 32-bit; palettes RGB;
    /// 0-is-white grey is turned to 0-is-black. CMYK, YCbCr, Lab and LogLuv become 8-bit RGB by libtiff's conversion,
    /// and lose the ICC profile that described the space they were in.
    static func decodeTIFF(
        _ bytes: UnsafeRawBufferPointer, _ name: String, _ limits: DecodingLimits
    ) throws(ImagingError) -> Photograph {
        var failure = ShimFailure()
        var info = ShimTIFFInfo()
        guard let reader = shim_tiff_open(bytes.baseAddress, bytes.count, limits.sampleBytes, &info, &failure) else {
            // Cameras store sensor data in many a way that no TIFF reader knows; LibRaw may.
            if Int(failure.code) == SHIM_UNSUPPORTED, Metadata(tiffStructure: bytes).make != nil,
                let photograph = try? decodeRAW(bytes, name, limits)
            {
                return photograph
            }
            throw ImagingError(decoding: name, failure)
        }
        defer { shim_tiff_close(reader) }
        let channels = Int(info.colour_channels + info.extra_channels)
        try limits.check(
            width: Int(info.width), height: Int(info.height), bytesPerPixel: channels * Int(info.bits) / 8, file: name)
        guard let decoded = readTIFF(reader, info, &failure) else { throw ImagingError(decoding: name, failure) }
        if case .float32(let values) = decoded, !values.allSatisfy(\.isFinite) {
            throw ImagingError(
                .unsupported, .decode, file: name, cause: "it holds NaN or infinite samples",
                remedy: "replace them before denoising")
        }
        let kinds = withUnsafeBytes(of: info.extra_kinds) { kinds in
            kinds.bindMemory(to: UInt16.self).prefix(Int(info.extra_channels))
                .map { ExtraChannel(rawValue: $0) ?? .unspecified }
        }
        var metadata = Metadata(tiffStructure: bytes)
        metadata.orientation = Int(info.orientation)
        return Photograph(
            pixels: PixelBuffer(
                width: Int(info.width), height: Int(info.height), colourChannels: Int(info.colour_channels),
                extraChannels: kinds, samples: decoded),
            metadata: metadata, iccProfile: info.converted == 1 ? nil : copy(info.profile, info.profile_count),
            xmp: copy(info.xmp, info.xmp_count), format: .tiff, sourceBitDepth: Int(info.source_bits),
            pages: Int(info.pages))
    }

    private static func readTIFF(
        _ reader: OpaquePointer, _ info: ShimTIFFInfo, _ failure: inout ShimFailure
    ) -> PixelBuffer.Samples? {
        let rowSamples = Int(info.width) * Int(info.colour_channels + info.extra_channels)
        let rowBytes = rowSamples * Int(info.bits) / 8
        let count = rowSamples * Int(info.height)
        switch info.bits {
        case 8: return samples(count) { shim_tiff_read(reader, $0, rowBytes, &failure) == 1 }.map { .uint8($0) }
        case 16: return samples(count) { shim_tiff_read(reader, $0, rowBytes, &failure) == 1 }.map { .uint16($0) }
        default: return samples(count) { shim_tiff_read(reader, $0, rowBytes, &failure) == 1 }.map { .float32($0) }
        }
    }
}
