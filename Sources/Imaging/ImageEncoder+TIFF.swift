import CImageShims
import SystemPackage

extension ImageEncoder {
    /// Deflate with a predictor; all channels; BigTIFF when the samples exceed 4 GB.
    static func encodeTIFF(
        _ photograph: Photograph, _ depth: Int, compresses: Bool, _ descriptor: FileDescriptor, _ name: String
    ) throws(ImagingError) {
        let pixels = photograph.pixels
        var info = ShimTIFFInfo()
        info.width = UInt32(pixels.width)
        info.height = UInt32(pixels.height)
        info.bits = Int32(depth)
        info.colour_channels = Int32(pixels.colourChannels)
        info.extra_channels = Int32(pixels.extraChannels.count)
        info.is_uncompressed = compresses ? 0 : 1
        info.orientation = Int32(photograph.metadata.orientation)
        withUnsafeMutableBytes(of: &info.extra_kinds) { kinds in
            let kinds = kinds.bindMemory(to: UInt16.self)
            for (index, kind) in pixels.extraChannels.enumerated() { kinds[index] = kind.rawValue }
        }
        var failure = ShimFailure()
        let written = withCamera(photograph.metadata) { camera in
            withBytes(photograph.iccProfile) { profile in
                info.profile = profile.baseAddress
                info.profile_count = profile.count
                guard let writer = shim_tiff_create(descriptor.rawValue, &info, camera, &failure) else { return false }
                let complete = forEachRow(of: pixels, RowLayout(depth: depth, channels: .all)) {
                    shim_tiff_write_row(writer, $0, &failure) == 1
                }
                return shim_tiff_finish(writer, complete ? 1 : 0, camera, &failure) == 1
            }
        }
        if !written { throw ImagingError(writing: name, failure) }
    }

    /// Bytes that stay in place during `body`; empty for nil.
    static func withBytes<R>(_ bytes: [UInt8]?, _ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
        guard let bytes else { return body(UnsafeBufferPointer(start: nil, count: 0)) }
        return bytes.withUnsafeBufferPointer(body)
    }

    private static func withCamera<R>(_ metadata: Metadata, _ body: (UnsafePointer<ShimTIFFCamera>) -> R) -> R {
        withText(metadata.make) { make in
            withText(metadata.model) { model in
                withText(metadata.lens) { lens in
                    withText(metadata.exifDate) { date in
                        var camera = ShimTIFFCamera(
                            make: make, model: model, lens: lens, captured_at: date,
                            exposure: metadata.exposure ?? 0, aperture: metadata.aperture ?? 0, iso: metadata.iso ?? 0)
                        return body(&camera)
                    }
                }
            }
        }
    }

    private static func withText<R>(_ text: String?, _ body: (UnsafePointer<CChar>?) -> R) -> R {
        guard let text else { return body(nil) }
        return text.withCString(body)
    }
}
