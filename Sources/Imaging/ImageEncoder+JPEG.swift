import CImageShims
import SystemPackage

extension ImageEncoder {
    /// High enough that recompression adds less than one level of noise to most pixels.
    private static let quality: Int32 = 95
    /// The format's own bound on a side.
    private static let sideLimit = 65_500

    /// Quality 95 without chroma subsampling; transparent parts are laid over white.
    static func encodeJPEG(
        _ photograph: Photograph, _ descriptor: FileDescriptor, _ name: String
    ) throws(ImagingError) {
        let pixels = photograph.pixels
        guard max(pixels.width, pixels.height) <= sideLimit else {
            throw ImagingError(
                .limitExceeded, .write, file: name, cause: "a JPEG holds at most \(sideLimit) pixels on a side",
                remedy: "choose TIFF or PNG")
        }
        var info = ShimJPEGInfo()
        info.width = UInt32(pixels.width)
        info.height = UInt32(pixels.height)
        info.colour_channels = Int32(pixels.colourChannels)
        var failure = ShimFailure()
        let written = withBlocks(of: photograph) { blocks in
            (info.profile, info.profile_count) = (blocks.profile.baseAddress, blocks.profile.count)
            (info.exif, info.exif_count) = (blocks.exif.baseAddress, blocks.exif.count)
            (info.xmp, info.xmp_count) = (blocks.xmp.baseAddress, blocks.xmp.count)
            guard let writer = shim_jpeg_create(descriptor.rawValue, &info, quality, &failure) else { return false }
            let complete = forEachRow(of: pixels, RowLayout(depth: 8, channels: .opaque)) {
                shim_jpeg_write_row(writer, $0, &failure) == 1
            }
            return shim_jpeg_finish(writer, complete ? 1 : 0, &failure) == 1
        }
        if !written { throw ImagingError(writing: name, failure) }
    }
}
