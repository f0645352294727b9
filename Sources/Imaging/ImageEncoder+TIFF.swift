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
            withBlocks(of: photograph, hasEXIF: false) { blocks in
                (info.profile, info.profile_count) = (blocks.profile.baseAddress, blocks.profile.count)
                (info.xmp, info.xmp_count) = (blocks.xmp.baseAddress, blocks.xmp.count)
                guard let writer = shim_tiff_create(descriptor.rawValue, &info, camera, &failure) else { return false }
                let complete = forEachRow(of: pixels, RowLayout(depth: depth, channels: .all)) {
                    shim_tiff_write_row(writer, $0, &failure) == 1
                }
                return shim_tiff_finish(writer, complete ? 1 : 0, camera, &failure) == 1
            }
        }
        if !written { throw ImagingError(writing: name, failure) }
    }

    private static func withCamera<R>(_ metadata: Metadata, _ body: (UnsafePointer<ShimTIFFCamera>) -> R) -> R {
        withText(metadata.make) { make in
            withText(metadata.model) { model in
                withText(metadata.lens) { lens in
                    withText(metadata.exifDate) { date in
                        var camera = ShimTIFFCamera(
                            make: make, model: model, lens: lens, captured_at: date,
                            exposure: metadata.exposure ?? 0, aperture: metadata.aperture ?? 0, iso: metadata.iso ?? 0,
                            location: metadata.location)
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

extension ShimTIFFCamera {
    fileprivate init(
        make: UnsafePointer<CChar>?, model: UnsafePointer<CChar>?, lens: UnsafePointer<CChar>?,
        captured_at: UnsafePointer<CChar>?, exposure: Double, aperture: Double, iso: Double, location: Location?
    ) {
        self.init()
        self.make = make
        self.model = model
        self.lens = lens
        self.captured_at = captured_at
        self.exposure = exposure
        self.aperture = aperture
        self.iso = iso
        guard let location else { return }
        has_location = 1
        let (latitude, longitude) = (location.latitude.sexagesimal, location.longitude.sexagesimal)
        self.latitude = (Double(latitude.degrees), Double(latitude.minutes), latitude.seconds)
        self.longitude = (Double(longitude.degrees), Double(longitude.minutes), longitude.seconds)
        latitude_side = CChar(UInt8(ascii: location.latitude < 0 ? "S" : "N"))
        longitude_side = CChar(UInt8(ascii: location.longitude < 0 ? "W" : "E"))
        has_altitude = location.altitude == nil ? 0 : 1
        altitude = location.altitude ?? 0
    }
}
