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

        // The pointer has a fixed size, so the main directory can be laid out before its value is known.
        let pointer = 8 + directory(main + [long(Tag.exifDirectory, 0)], at: 8).count
        let first = directory(main + [long(Tag.exifDirectory, pointer)], at: 8)
        return Array("II".utf8) + little(42, 2) + little(8, 4) + first + directory(exif, at: pointer)
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
