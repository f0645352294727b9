import Imaging

/// What the name of a crop says: camera, sensitivity and photograph, as `canoneos5d_3200-0123456789abcdef.png`.
///
/// Earlier versions wrote `CanonEOS5DISO3200-0123456789abcdef.png`.
struct CaptureName {
    let camera: Camera?
    /// ISO speed rating; 0 where it is unknown.
    let sensitivity: String

    /// - Parameter hash: SHA-256 of the photograph, lowercase hexadecimal.
    static func text(camera: Camera?, iso: Double?, hash: String) -> String {
        "\(camera?.name ?? "")_\(iso.flatMap { Int(exactly: $0.rounded()) } ?? 0)\(ending(hash))"
    }

    /// How the names of a photograph's crops end, whatever version wrote them.
    static func ending(_ hash: String) -> String { "-\(hash.prefix(16)).png" }

    init(_ text: String) {
        let kind = text.prefix { $0 != "-" }
        let parts = kind.split(separator: "_", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        if parts.count == 2 {
            camera = Camera(parts[0])
            sensitivity = parts[1]
        } else if let place = kind.ranges(of: "ISO").last {
            camera = Camera(String(kind[..<place.lowerBound]))
            sensitivity = String(kind[place.upperBound...])
        } else {
            camera = nil
            sensitivity = String(kind)
        }
    }
}
