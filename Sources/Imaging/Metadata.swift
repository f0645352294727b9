/// What is known of a photograph beside its pixels; nil where unknown.
public struct Metadata: Sendable, Equatable {
    public var make: String?
    public var model: String?
    public var lens: String?
    /// ISO speed rating.
    public var iso: Double?
    /// Exposure time in seconds.
    public var exposure: Double?
    /// F-number.
    public var aperture: Double?
    /// The camera's clock as "2024-05-31T17:02:09"; cameras rarely say in which zone.
    public var capturedAt: String?
    /// How the stored pixels are to be turned for display, 1…8 (EXIF 2.32, 4.6.4 A); 1 is upright.
    public var orientation: Int
    public var location: Location?

    public init(
        make: String? = nil, model: String? = nil, lens: String? = nil, iso: Double? = nil, exposure: Double? = nil,
        aperture: Double? = nil, capturedAt: String? = nil, orientation: Int = 1, location: Location? = nil
    ) {
        self.make = make
        self.model = model
        self.lens = lens
        self.iso = iso
        self.exposure = exposure
        self.aperture = aperture
        self.capturedAt = capturedAt
        self.orientation = orientation
        self.location = location
    }

    /// Make and model as one name, without the make twice: "Canon EOS 6D". Nil when neither is known.
    public var camera: String? {
        guard let model else { return make }
        guard let make, !model.lowercased().hasPrefix(make.lowercased()) else { return model }
        return "\(make) \(model)"
    }

    /// "2024:05:31 17:02:09" to "2024-05-31T17:02:09"; nil for anything but a plausible date.
    static func capturedAt(exif text: String) -> String? {
        let parts = text.split(whereSeparator: { $0 == ":" || $0 == " " })
        let numbers = parts.compactMap { Int($0) }
        guard parts.count == 6, numbers.count == 6, (1800...9999).contains(numbers[0]), (1...12).contains(numbers[1]),
            (1...31).contains(numbers[2]), (0...23).contains(numbers[3]), (0...59).contains(numbers[4]),
            (0...60).contains(numbers[5])
        else { return nil }
        let two = numbers.dropFirst().map { $0 < 10 ? "0\($0)" : "\($0)" }
        return "\(numbers[0])-\(two[0])-\(two[1])T\(two[2]):\(two[3]):\(two[4])"
    }

    /// `capturedAt` as EXIF writes it.
    var exifDate: String? {
        guard let capturedAt, capturedAt.utf8.count == 19 else { return nil }
        return String(capturedAt.map { $0 == "-" ? ":" : $0 == "T" ? " " : $0 })
    }
}
