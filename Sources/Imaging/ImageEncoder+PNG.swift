import CImageShims
import SystemPackage

extension ImageEncoder {
    /// 8 or 16 bits; alpha is made independent of colour; other extra channels have no place in a PNG.
    static func encodePNG(
        _ photograph: Photograph, _ depth: Int, _ descriptor: FileDescriptor, _ name: String
    ) throws(ImagingError) {
        let pixels = photograph.pixels
        let layout = RowLayout(depth: depth, channels: .straightAlpha)
        var info = ShimPNGInfo()
        info.width = UInt32(pixels.width)
        info.height = UInt32(pixels.height)
        info.bits = Int32(depth)
        info.colour_channels = Int32(pixels.colourChannels)
        info.alpha = Int32(RowConverter(pixels, layout).channels - pixels.colourChannels)
        info.colorimetry = (photograph.colorimetry ?? Colorimetry()).shim
        var failure = ShimFailure()
        let written = withBlocks(of: photograph) { blocks in
            (info.profile, info.profile_count) = (blocks.profile.baseAddress, blocks.profile.count)
            (info.exif, info.exif_count) = (blocks.exif.baseAddress, blocks.exif.count)
            (info.xmp, info.xmp_count) = (blocks.xmp.baseAddress, blocks.xmp.count)
            guard let writer = shim_png_create(descriptor.rawValue, &info, &failure) else { return false }
            let complete = forEachRow(of: pixels, layout) { shim_png_write_row(writer, $0, &failure) == 1 }
            return shim_png_finish(writer, complete ? 1 : 0, &failure) == 1
        }
        if !written { throw ImagingError(writing: name, failure) }
    }
}
