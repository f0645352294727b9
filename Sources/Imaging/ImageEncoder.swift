import CImageShims
import SystemPackage

/// Writes photographs as TIFF, PNG or JPEG. Equal photographs give equal bytes.
public enum ImageEncoder {
    /// The formats that can be written.
    public enum Format: String, Sendable, CaseIterable {
        case tiff, png, jpeg

        /// The input's own format; TIFF for RAW.
        public init(keeping format: ImageFormat) {
            switch format {
            case .png: self = .png
            case .jpeg: self = .jpeg
            case .tiff, .raw: self = .tiff
            }
        }

        /// The usual extension, without a dot.
        public var fileExtension: String {
            switch self {
            case .tiff: "tif"
            case .png: "png"
            case .jpeg: "jpg"
            }
        }
    }

    /// Appends the encoded photograph to a staged file; publishing it is the caller's.
    ///
    /// - Parameter bitDepth: 8 or 16; nil keeps the photograph's. JPEG is always 8, floats stay floats in TIFF only.
    /// - Parameter compressesTIFF: false leaves a TIFF's samples as they are, for programs that read nothing else.
    /// - Throws: `writeFailed`, `limitExceeded` for images that the format cannot hold, `internalFailure`.
    public static func encode(
        _ photograph: Photograph, format: Format, bitDepth: Int? = nil, compressesTIFF: Bool = true,
        to file: borrowing StagedFile
    ) throws(ImagingError) {
        try encode(
            photograph, format: format, bitDepth: bitDepth, compressesTIFF: compressesTIFF, to: file.descriptor,
            name: ImagingError.display(file.destination))
    }

    /// Encodes to a descriptor that is open for reading and writing and can seek: a file, or a memfd for memory.
    public static func encode(
        _ photograph: Photograph, format: Format, bitDepth: Int? = nil, compressesTIFF: Bool = true,
        to descriptor: FileDescriptor, name: String
    ) throws(ImagingError) {
        let depth = outputDepth(photograph.pixels, format, bitDepth)
        switch format {
        case .tiff: try encodeTIFF(photograph, depth, compresses: compressesTIFF, descriptor, name)
        case .png: try encodePNG(photograph, depth, descriptor, name)
        case .jpeg: try encodeJPEG(photograph, descriptor, name)
        }
    }

    private static func outputDepth(_ pixels: PixelBuffer, _ format: Format, _ wanted: Int?) -> Int {
        switch format {
        case .jpeg: 8
        case .png: wanted == 8 || pixels.bitDepth == 8 && wanted == nil ? 8 : 16
        case .tiff: wanted.map { $0 == 8 ? 8 : 16 } ?? pixels.bitDepth
        }
    }

    /// The block to write into formats that carry EXIF: the file's own, else one built from the metadata.
    private static func exif(of photograph: Photograph) -> [UInt8]? {
        if let exif = photograph.exif { return exif }
        return photograph.metadata == Metadata() ? nil : EXIFBlock.bytes(for: photograph.metadata)
    }

    /// What stands beside the samples in a file; empty where there is none.
    struct Blocks {
        let profile: UnsafeBufferPointer<UInt8>
        let exif: UnsafeBufferPointer<UInt8>
        let xmp: UnsafeBufferPointer<UInt8>
    }

    /// The blocks of a photograph, which stay in place during `body`.
    ///
    /// - Parameter hasEXIF: false for formats that say in tags of their own what an EXIF block says.
    static func withBlocks<R>(of photograph: Photograph, hasEXIF: Bool = true, _ body: (Blocks) -> R) -> R {
        withBytes(photograph.iccProfile) { profile in
            withBytes(hasEXIF ? exif(of: photograph) : nil) { exif in
                withBytes(photograph.xmp) { xmp in body(Blocks(profile: profile, exif: exif, xmp: xmp)) }
            }
        }
    }

    private static func withBytes<R>(_ bytes: [UInt8]?, _ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
        guard let bytes else { return body(UnsafeBufferPointer(start: nil, count: 0)) }
        return bytes.withUnsafeBufferPointer(body)
    }

    /// Feeds all rows to `write`, which returns false to stop.
    static func forEachRow(
        of pixels: PixelBuffer, _ layout: RowLayout, _ write: (UnsafeMutableRawPointer) -> Bool
    ) -> Bool {
        let rows = RowConverter(pixels, layout)
        let row = UnsafeMutableRawBufferPointer.allocate(byteCount: rows.rowBytes, alignment: 16)
        defer { row.deallocate() }
        guard let base = row.baseAddress else { return false }
        for index in 0..<pixels.height {
            rows.convert(row: index, into: row)
            guard write(base) else { return false }
        }
        return true
    }
}
