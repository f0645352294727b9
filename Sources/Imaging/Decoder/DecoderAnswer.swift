/// What a decoder process says of its file: a photograph whose samples lie in the shared memory, or why there is none.
///
/// Nothing of an answer is believed: whoever takes over a decoder also writes its answers.
enum DecoderAnswer {
    case photograph(PhotographHeader)
    case failure(ImagingError)

    /// Codes that a decoder may report.
    private static let codes: [ImagingError.Code] = [
        .malformed, .unsupported, .limitExceeded, .outOfMemory, .internalFailure, .unconfined,
    ]

    var bytes: [UInt8] {
        var writer = AnswerWriter()
        switch self {
        case .photograph(let header):
            writer.write(0)
            header.write(to: &writer)
        case .failure(let error):
            writer.write(1)
            writer.write(Self.codes.firstIndex(of: error.code) ?? Self.codes.count)
            writer.write(error.cause)
            writer.write(error.remedy)
        }
        return writer.bytes
    }

    /// - Parameter file: the name for errors, which the decoder is not told.
    init(_ bytes: some Collection<UInt8>, file: String) throws(AnswerReader.Nonsense) {
        var reader = AnswerReader(bytes)
        if try reader.integer(in: 0...1) == 0 {
            self = .photograph(try PhotographHeader(&reader))
        } else {
            let code = try reader.integer(in: 0...Self.codes.count)
            self = .failure(
                ImagingError(
                    code < Self.codes.count ? Self.codes[code] : .internalFailure, .decode, file: file,
                    cause: Self.line(try reader.text()), remedy: Self.line(try reader.text())))
        }
        guard reader.isAtEnd else { throw AnswerReader.Nonsense() }
    }

    /// One line of a length that a person reads.
    private static func line(_ text: String) -> String {
        String(text.unicodeScalars.prefix(500).map { $0.value < 0x20 || $0.value == 0x7F ? " " : Character($0) })
    }
}

/// A photograph without its samples.
struct PhotographHeader {
    let width: Int
    let height: Int
    let colourChannels: Int
    let extraChannels: [ExtraChannel]
    /// 8, 16, or 32 for floating point.
    let bitDepth: Int
    private let metadata: Metadata
    private let iccProfile: [UInt8]?
    private let exif: [UInt8]?
    private let xmp: [UInt8]?
    private let colorimetry: Colorimetry?
    private let format: ImageFormat
    private let sourceBitDepth: Int
    private let pages: Int

    var channels: Int { colourChannels + extraChannels.count }
    var bytesPerPixel: Int { channels * bitDepth / 8 }

    init(_ photograph: Photograph) {
        width = photograph.pixels.width
        height = photograph.pixels.height
        colourChannels = photograph.pixels.colourChannels
        extraChannels = photograph.pixels.extraChannels
        bitDepth = photograph.pixels.bitDepth
        metadata = photograph.metadata
        iccProfile = photograph.iccProfile
        exif = photograph.exif
        xmp = photograph.xmp
        colorimetry = photograph.colorimetry
        format = photograph.format
        sourceBitDepth = photograph.sourceBitDepth
        pages = photograph.pages
    }

    /// - Precondition: `samples` are as many as the size and the channels say, and finite.
    func photograph(_ samples: PixelBuffer.Samples) -> Photograph {
        Photograph(
            pixels: PixelBuffer(
                width: width, height: height, colourChannels: colourChannels, extraChannels: extraChannels,
                samples: samples),
            metadata: metadata, iccProfile: iccProfile, exif: exif, xmp: xmp, colorimetry: colorimetry,
            format: format, sourceBitDepth: sourceBitDepth, pages: pages)
    }
}

extension PhotographHeader {
    func write(to writer: inout AnswerWriter) {
        for value in [width, height, colourChannels, bitDepth, extraChannels.count] { writer.write(value) }
        for channel in extraChannels { writer.write(Int(channel.rawValue)) }
        for text in [metadata.make, metadata.model, metadata.lens, metadata.capturedAt] {
            writer.write(text) { $0.write($1) }
        }
        for number in [metadata.iso, metadata.exposure, metadata.aperture] { writer.write(number) { $0.write($1) } }
        writer.write(metadata.orientation)
        writer.write(metadata.location) { writer, location in
            writer.write(location.latitude)
            writer.write(location.longitude)
            writer.write(location.altitude) { $0.write($1) }
        }
        for block in [iccProfile, exif, xmp] { writer.write(block) { $0.write($1) } }
        writer.write(colorimetry) { writer, colorimetry in
            writer.write(colorimetry.gamma) { $0.write(Int($1)) }
            writer.write(colorimetry.renderingIntent) { $0.write(Int($1)) }
            writer.write(colorimetry.chromaticities) { writer, values in
                writer.write(values.count)
                for value in values { writer.write(Int(value)) }
            }
        }
        writer.write(ImageFormat.allCases.firstIndex(of: format) ?? 0)
        writer.write(sourceBitDepth)
        writer.write(pages)
    }

    init(_ reader: inout AnswerReader) throws(AnswerReader.Nonsense) {
        width = try reader.integer(in: 1...Int(Int32.max))
        height = try reader.integer(in: 1...Int(Int32.max))
        colourChannels = try reader.integer(in: 1...3)
        bitDepth = try reader.integer(in: 8...32)
        guard colourChannels != 2, [8, 16, 32].contains(bitDepth) else { throw AnswerReader.Nonsense() }
        var extraChannels: [ExtraChannel] = []
        for _ in 0..<(try reader.integer(in: 0...Int(UInt16.max))) {
            guard let channel = ExtraChannel(rawValue: UInt16(try reader.integer(in: 0...2))) else {
                throw AnswerReader.Nonsense()
            }
            extraChannels.append(channel)
        }
        self.extraChannels = extraChannels
        metadata = try Metadata(&reader)
        iccProfile = try reader.optional { (reader) throws(AnswerReader.Nonsense) in try reader.block() }
        exif = try reader.optional { (reader) throws(AnswerReader.Nonsense) in try reader.block() }
        xmp = try reader.optional { (reader) throws(AnswerReader.Nonsense) in try reader.block() }
        colorimetry = try reader.optional { (reader) throws(AnswerReader.Nonsense) in try Colorimetry(&reader) }
        format = ImageFormat.allCases[try reader.integer(in: 0...ImageFormat.allCases.count - 1)]
        sourceBitDepth = try reader.integer(in: 1...64)
        pages = try reader.integer(in: 0...Int(Int32.max))
    }
}

extension Metadata {
    fileprivate init(_ reader: inout AnswerReader) throws(AnswerReader.Nonsense) {
        var texts: [String?] = []
        for _ in 0..<4 {
            texts.append(try reader.optional { (reader) throws(AnswerReader.Nonsense) in try reader.text() })
        }
        var numbers: [Double?] = []
        for _ in 0..<3 {
            numbers.append(try reader.optional { (reader) throws(AnswerReader.Nonsense) in try reader.number() })
        }
        self.init(
            make: texts[0], model: texts[1], lens: texts[2], iso: numbers[0], exposure: numbers[1],
            aperture: numbers[2], capturedAt: texts[3], orientation: try reader.integer(in: 1...8),
            location: try reader.optional { (reader) throws(AnswerReader.Nonsense) in try Location(&reader) })
    }
}

extension Location {
    fileprivate init(_ reader: inout AnswerReader) throws(AnswerReader.Nonsense) {
        let (latitude, longitude) = (try reader.number(), try reader.number())
        let altitude = try reader.optional { (reader) throws(AnswerReader.Nonsense) in try reader.number() }
        guard let location = Location(latitude: latitude, longitude: longitude, altitude: altitude) else {
            throw AnswerReader.Nonsense()
        }
        self = location
    }
}

extension Colorimetry {
    private static let numbers = Int(Int32.min)...Int(Int32.max)

    fileprivate init(_ reader: inout AnswerReader) throws(AnswerReader.Nonsense) {
        let (gamma, intent) = (try Self.number(&reader), try Self.number(&reader))
        let chromaticities = try reader.optional { (reader) throws(AnswerReader.Nonsense) in
            var values: [Int32] = []
            for _ in 0..<(try reader.integer(in: 8...8)) { values.append(Int32(try reader.integer(in: Self.numbers))) }
            return values
        }
        self.init(gamma: gamma, chromaticities: chromaticities, renderingIntent: intent)
    }

    private static func number(_ reader: inout AnswerReader) throws(AnswerReader.Nonsense) -> Int32? {
        try reader.optional { (reader) throws(AnswerReader.Nonsense) in Int32(try reader.integer(in: numbers)) }
    }
}
