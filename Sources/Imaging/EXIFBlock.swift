/// Builds an EXIF block from metadata, for photographs whose file had none in that form (TIFF, RAW).
struct EXIFBlock {
    /// A value waiting for its place: type, count and bytes in little-endian order.
    private struct Field {
        let tag: UInt16
        let type: UInt16
        let count: Int
        let bytes: [UInt8]
    }

    /// The block as a little-endian TIFF structure; deterministic.
    static func bytes(for metadata: Metadata) -> [UInt8] {
        var main = [text(Tag.make, metadata.make), text(Tag.model, metadata.model)].compactMap { $0 }
        main.append(short(Tag.orientation, metadata.orientation))
        main += [text(Tag.dateTime, metadata.exifDate)].compactMap { $0 }
        var exif = [
            rational(Tag.exposureTime, metadata.exposure), rational(Tag.fNumber, metadata.aperture),
        ].compactMap { $0 }
        if let iso = metadata.iso, iso >= 1 {
            exif.append(short(Tag.isoSpeedRatings, Int(min(iso.rounded(), 65_535))))
        }
        exif.append(Field(tag: Tag.exifVersion, type: 7, count: 4, bytes: Array("0232".utf8)))
        exif += [text(Tag.dateTimeOriginal, metadata.exifDate), text(Tag.lensModel, metadata.lens)].compactMap { $0 }

        let gps = metadata.location.map(fields)
        func first(_ exif: Int, _ place: Int) -> [UInt8] {
            directory(
                main + [long(Tag.exifDirectory, exif)] + (gps == nil ? [] : [long(Tag.gpsDirectory, place)]), at: 8)
        }
        // Pointers have a fixed size, so the main directory can be laid out before their values are known.
        let pointer = 8 + first(0, 0).count
        let second = directory(exif, at: pointer)
        let third = gps.map { directory($0, at: pointer + second.count) } ?? []
        return Array("II".utf8) + little(42, 2) + little(8, 4) + first(pointer, pointer + second.count) + second + third
    }

    /// The GPS directory.
    private static func fields(of location: Location) -> [Field] {
        func angle(_ tag: UInt16, _ value: Double) -> Field {
            let (degrees, minutes, seconds) = value.sexagesimal
            let parts = [(degrees, 1), (minutes, 1), (Int((seconds * 1e6).rounded()), 1_000_000)]
            return Field(
                tag: tag, type: 5, count: 3, bytes: parts.flatMap { little($0.0, 4) + little($0.1, 4) })
        }
        var fields = [
            Field(tag: Tag.gpsVersion, type: 1, count: 4, bytes: [2, 3, 0, 0]),
            text(Tag.latitudeReference, location.latitude < 0 ? "S" : "N"),
            angle(Tag.latitude, location.latitude),
            text(Tag.longitudeReference, location.longitude < 0 ? "W" : "E"),
            angle(Tag.longitude, location.longitude),
        ].compactMap { $0 }
        if let altitude = location.altitude {
            let bytes = little(Int((abs(altitude) * 1000).rounded()), 4) + little(1000, 4)
            fields.append(Field(tag: Tag.altitudeReference, type: 1, count: 1, bytes: [altitude < 0 ? 1 : 0]))
            fields.append(Field(tag: Tag.altitude, type: 5, count: 1, bytes: bytes))
        }
        return fields
    }

    /// One directory, sorted by tag as it must be, followed by the values that do not fit an entry.
    private static func directory(_ fields: [Field], at offset: Int) -> [UInt8] {
        var entries = little(fields.count, 2)
        var values: [UInt8] = []
        let valuesOffset = offset + 2 + 12 * fields.count + 4
        for field in fields.sorted(by: { $0.tag < $1.tag }) {
            entries += little(Int(field.tag), 2) + little(Int(field.type), 2) + little(field.count, 4)
            if field.bytes.count <= 4 {
                entries += field.bytes + [UInt8](repeating: 0, count: 4 - field.bytes.count)
            } else {
                entries += little(valuesOffset + values.count, 4)
                values += field.bytes + (field.bytes.count % 2 == 1 ? [0] : [])
            }
        }
        return entries + little(0, 4) + values
    }

    private static func text(_ tag: UInt16, _ value: String?) -> Field? {
        guard let value, !value.isEmpty else { return nil }
        let bytes = Array(value.utf8) + [0]
        return Field(tag: tag, type: 2, count: bytes.count, bytes: bytes)
    }

    private static func short(_ tag: UInt16, _ value: Int) -> Field {
        Field(tag: tag, type: 3, count: 1, bytes: little(value, 2))
    }

    private static func long(_ tag: UInt16, _ value: Int) -> Field {
        Field(tag: tag, type: 4, count: 1, bytes: little(value, 4))
    }

    /// A positive number as 1/n below 0.3 seconds or so, where cameras write that, else in millionths.
    private static func rational(_ tag: UInt16, _ value: Double?) -> Field? {
        guard let value, value > 1e-9, value < 4000 else { return nil }
        let inverse = (1 / value).rounded()
        let isReciprocal = value < 0.5 && abs(1 / value - inverse) < inverse * 1e-6
        let parts = isReciprocal ? (1, Int(inverse)) : (Int((value * 1e6).rounded()), 1_000_000)
        return Field(tag: tag, type: 5, count: 1, bytes: little(parts.0, 4) + little(parts.1, 4))
    }

    private static func little(_ value: Int, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
}

extension Double {
    /// Whole degrees and minutes, and seconds, of the magnitude.
    var sexagesimal: (degrees: Int, minutes: Int, seconds: Double) {
        // To a millionth of a second, so that 60 seconds are never left.
        let seconds = (magnitude * 3600 * 1e6).rounded() / 1e6
        let minutes = Int(seconds / 60)
        return (minutes / 60, minutes % 60, seconds - Double(minutes * 60))
    }
}
