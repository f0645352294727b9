import CImageShims

extension ImageDecoder {
    /// Palettes become RGB, tRNS becomes alpha, 1, 2 and 4 bits become 8; gamma is kept, never applied.
    static func decodePNG(
        _ bytes: UnsafeRawBufferPointer, _ name: String, _ limits: DecodingLimits
    ) throws(ImagingError) -> Photograph {
        var failure = ShimFailure()
        var info = ShimPNGInfo()
        guard let reader = shim_png_open(bytes.baseAddress, bytes.count, &info, &failure) else {
            throw ImagingError(decoding: name, failure)
        }
        defer { shim_png_close(reader) }
        let width = Int(info.width)
        let height = Int(info.height)
        let channels = Int(info.colour_channels + info.alpha)
        let rowBytes = width * channels * Int(info.bits) / 8
        try limits.check(width: width, height: height, bytesPerPixel: channels * Int(info.bits) / 8, file: name)
        let decoded: PixelBuffer.Samples? =
            if info.bits == 16 {
                samples(width * height * channels) { shim_png_read(reader, $0, rowBytes, &failure) == 1 }
                    .map { .uint16($0) }
            } else {
                samples(width * height * channels) { shim_png_read(reader, $0, rowBytes, &failure) == 1 }
                    .map { .uint8($0) }
            }
        guard let decoded else { throw ImagingError(decoding: name, failure) }
        var exifCount = 0
        let exif = shim_png_exif(reader, &exifCount)
        let block = copy(exif, exifCount)
        var xmpCount = 0
        let xmp = shim_png_xmp(reader, &xmpCount)
        return Photograph(
            pixels: PixelBuffer(
                width: width, height: height, colourChannels: Int(info.colour_channels),
                extraChannels: info.alpha == 1 ? [.alpha] : [], samples: decoded),
            metadata: block?.withUnsafeBytes { Metadata(tiffStructure: $0) } ?? Metadata(),
            iccProfile: copy(info.profile, info.profile_count), exif: block,
            xmp: copy(xmp, xmpCount), colorimetry: Colorimetry(info.colorimetry), format: .png,
            sourceBitDepth: Int(info.source_bits))
    }
}
