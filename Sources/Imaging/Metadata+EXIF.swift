/// Tags of TIFF 6.0, EXIF 2.32, TIFF/EP and DNG 1.6 that matter here.
enum Tag {
    static let newSubfileType: UInt16 = 254
    static let compression: UInt16 = 259
    static let photometric: UInt16 = 262
    static let make: UInt16 = 271
    static let model: UInt16 = 272
    static let orientation: UInt16 = 274
    static let dateTime: UInt16 = 306
    static let subDirectories: UInt16 = 330
    static let exposureTime: UInt16 = 33434
    static let fNumber: UInt16 = 33437
    static let cfaPattern: UInt16 = 33422
    static let exifDirectory: UInt16 = 34665
    static let gpsDirectory: UInt16 = 34853
    // Of the GPS directory.
    static let gpsVersion: UInt16 = 0
    static let latitudeReference: UInt16 = 1
    static let latitude: UInt16 = 2
    static let longitudeReference: UInt16 = 3
    static let longitude: UInt16 = 4
    static let altitudeReference: UInt16 = 5
    static let altitude: UInt16 = 6
    static let isoSpeedRatings: UInt16 = 34855
    static let recommendedExposureIndex: UInt16 = 34866
    static let exifVersion: UInt16 = 36864
    static let dateTimeOriginal: UInt16 = 36867
    static let lensModel: UInt16 = 42036
    static let dngVersion: UInt16 = 50706
}

extension Metadata {
    /// Reads camera data from a TIFF structure: an EXIF block, or a whole TIFF file. Unknown and damaged values stay
    /// nil.
    init(tiffStructure bytes: UnsafeRawBufferPointer) {
        self.init()
        guard let block = TagBlock(bytes), let main = TagDirectory(block, at: block.first) else { return }
        make = main.text(Tag.make)
        model = main.text(Tag.model)
        if let value = main.integer(Tag.orientation), (1...8).contains(value) {
            orientation = value
        }
        // Some writers put the EXIF tags into the main directory.
        let exif = main.integer(Tag.exifDirectory).flatMap { TagDirectory(block, at: $0) } ?? main
        let date = exif.text(Tag.dateTimeOriginal) ?? main.text(Tag.dateTime)
        capturedAt = date.flatMap(Self.capturedAt(exif:))
        exposure = exif.number(Tag.exposureTime)
        aperture = exif.number(Tag.fNumber)
        lens = exif.text(Tag.lensModel)
        location = main.integer(Tag.gpsDirectory).flatMap { TagDirectory(block, at: $0) }.flatMap(Location.init)
        iso = exif.number(Tag.isoSpeedRatings)
        // 65535 means: look at the wider tag.
        if iso == 65_535, let index = exif.number(Tag.recommendedExposureIndex) {
            iso = index
        }
    }
}

extension TagBlock {
    /// Photometric interpretations of sensor data: colour filter array and linear RAW (DNG).
    private static let sensorPhotometrics: Set<Int> = [32803, 34892]
    /// Compressions that only cameras write: ARW, ERF, SRW, NEF, DCR, PEF.
    private static let cameraCompressions: Set<Int> = [32767, 32769, 32770, 34713, 65000, 65535]

    /// Whether this TIFF structure holds sensor data, which is LibRaw's, in place of an image, which is libtiff's.
    func holdsSensorData() -> Bool {
        // CR2 marks itself behind the first offset.
        if uint8(8) == 0x43, uint8(9) == 0x52 { return true }
        return directories().contains { directory in
            let offsets = directory.integers(Tag.subDirectories)
            let below = offsets.compactMap { TagDirectory(self, at: $0) }
            // A camera file that is copied halfway still has its thumbnail in front, which must not pass for the
            // photograph.
            let isThumbnailOnly = directory.integer(Tag.newSubfileType) == 1 && !offsets.isEmpty
            let isIncomplete = directory.entries[Tag.make] != nil && below.count < offsets.count
            return isSensorData(directory) || isThumbnailOnly || isIncomplete || below.contains(where: isSensorData)
        }
    }

    private func isSensorData(_ directory: TagDirectory) -> Bool {
        directory.entries[Tag.dngVersion] != nil || directory.entries[Tag.cfaPattern] != nil
            || directory.integer(Tag.photometric).map(Self.sensorPhotometrics.contains) ?? false
            || directory.integer(Tag.compression).map(Self.cameraCompressions.contains) ?? false
    }
}
