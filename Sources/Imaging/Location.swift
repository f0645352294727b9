/// Where a photograph was taken, as satellite receivers say it (WGS 84; EXIF 2.32, 4.6.6).
public struct Location: Sendable, Equatable {
    /// Degrees north of the equator, −90…90.
    public var latitude: Double
    /// Degrees east of Greenwich, −180…180.
    public var longitude: Double
    /// Metres above the sea.
    public var altitude: Double?

    /// - Returns: nil outside of the ranges.
    public init?(latitude: Double, longitude: Double, altitude: Double? = nil) {
        guard abs(latitude) <= 90, abs(longitude) <= 180, altitude.map({ abs($0) < 1e6 }) ?? true else { return nil }
        self.latitude = latitude
        self.longitude = longitude
        self.altitude = altitude
    }

    /// - Parameter directory: EXIF's GPS directory.
    init?(_ directory: TagDirectory) {
        func angle(_ tag: UInt16, _ reference: UInt16, negative: String) -> Double? {
            let parts = directory.rationals(tag)
            guard parts.count == 3, let side = directory.text(reference) else { return nil }
            let degrees = parts[0] + parts[1] / 60 + parts[2] / 3600
            return side == negative ? -degrees : degrees
        }
        guard let latitude = angle(Tag.latitude, Tag.latitudeReference, negative: "S"),
            let longitude = angle(Tag.longitude, Tag.longitudeReference, negative: "W")
        else { return nil }
        let isBelow = directory.integer(Tag.altitudeReference) == 1
        let altitude = directory.rationals(Tag.altitude).first.map { isBelow ? -$0 : $0 }
        self.init(latitude: latitude, longitude: longitude, altitude: altitude)
    }
}
