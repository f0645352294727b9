import CImageShims

extension ImageDecoder {
    /// Grey and YCbCr or RGB, sequential and progressive. Damage that libjpeg repairs by guessing is an error here.
    static func decodeJPEG(
        _ bytes: UnsafeRawBufferPointer, _ name: String, _ limits: DecodingLimits
    ) throws(ImagingError) -> Photograph {
        var failure = ShimFailure()
        var info = ShimJPEGInfo()
        guard let reader = shim_jpeg_open(bytes.baseAddress, bytes.count, &info, &failure) else {
            throw ImagingError(decoding: name, failure)
        }
        defer { shim_jpeg_close(reader) }
        let width = Int(info.width)
        let height = Int(info.height)
        let channels = Int(info.colour_channels)
        try limits.check(width: width, height: height, bytesPerPixel: channels, file: name)
        // Segments live until the last row has been read.
        let (exif, xmp) = (copy(info.exif, info.exif_count), copy(info.xmp, info.xmp_count))
        let decoded: [UInt8]? = samples(width * height * channels) {
            shim_jpeg_read(reader, $0, width * channels, &failure) == 1
        }
        guard let decoded else { throw ImagingError(decoding: name, failure) }
        return Photograph(
            pixels: PixelBuffer(width: width, height: height, colourChannels: channels, samples: .uint8(decoded)),
            metadata: exif?.withUnsafeBytes { Metadata(tiffStructure: $0) } ?? Metadata(),
            iccProfile: copy(info.profile, info.profile_count), exif: exif,
            xmp: xmp, format: .jpeg)
    }
}
