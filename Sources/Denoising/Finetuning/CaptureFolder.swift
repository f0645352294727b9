import Foundation
import Imaging
import SystemPackage

/// Noisy crops of what the daemon has seen, in `<state>/captures`: what it fits its model to at night.
///
/// A crop is at most 512 pixels and at most half of the photograph to each side, so that no photograph is kept whole.
/// There are never more than 48. Cameras and sensitivities share them evenly: when the folder is full, a crop of the
/// most frequent kind makes room, the oldest first.
public struct CaptureFolder: Sendable {
    public let path: FilePath

    static let most = 48
    private static let marker = ".learned"

    /// - Parameter state: the state folder.
    public init(state: FilePath) { path = state.appending("captures") }

    /// How many crops there are, and how many came after the last training.
    public var counts: (all: Int, new: Int) {
        let learned = modified(Self.marker)
        let names = names
        return (names.count, names.count { name in learned.map { modified(name) ?? .distantPast > $0 } ?? true })
    }

    /// A model has learned from all that there is now.
    public func markLearned() throws {
        try FileManager.default.createDirectory(atPath: path.string, withIntermediateDirectories: true)
        try StagedFile.replace(path.appending(Self.marker), with: Data())
    }

    /// Keeps a crop of a photograph, if it is noisy and shows something.
    ///
    /// - Parameters:
    ///   - kind: what has noise of its own, as camera and sensitivity.
    ///   - hash: SHA-256 of the file, lowercase hexadecimal; the same photograph is kept once.
    /// - Returns: whether a crop was kept.
    /// - Throws: `ImagingError` where it cannot be written.
    @discardableResult
    public func keep(_ photograph: PixelBuffer, kind: String, hash: String) throws -> Bool {
        let name = "\(Self.plain(kind))-\(hash.prefix(16)).png"
        let known = names
        guard !known.contains(name), let crop = Self.crop(of: photograph, hash: hash) else { return false }
        try FileManager.default.createDirectory(
            atPath: path.string, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        for old in Self.superfluous(known.map { ($0, modified($0) ?? .distantPast) }) {
            try FileManager.default.removeItem(atPath: path.appending(old).string)
        }
        let file = try StagedFile(path.appending(name))
        try ImageEncoder.encode(Photograph(pixels: crop, format: .png), format: .png, to: file)
        _ = try file.finish()
        return true
    }

    /// Which crops make room for one more.
    static func superfluous(_ files: [(name: String, modified: Date)]) -> [String] {
        var kinds = Dictionary(grouping: files) { $0.name.prefix(while: { $0 != "-" }) }
        kinds = kinds.mapValues { $0.sorted { ($0.modified, $0.name) < ($1.modified, $1.name) } }
        var names: [String] = []
        for _ in 0..<max(0, files.count - most + 1) {
            // Equal kinds are told apart by their names, so that the choice is always the same.
            guard let kind = kinds.max(by: { ($0.value.count, $1.key) < ($1.value.count, $0.key) })?.key,
                let oldest = kinds[kind]?.removeFirst()
            else { break }
            names.append(oldest.name)
        }
        return names
    }

    /// The most varied of a few places, at 8 bits; nil if it would teach nothing.
    private static func crop(of photograph: PixelBuffer, hash: String) -> PixelBuffer? {
        let side = (
            width: min(photograph.width / 2, Capture.largestSide),
            height: min(photograph.height / 2, Capture.largestSide)
        )
        guard min(side.width, side.height) >= Capture.smallestSide else { return nil }
        var generator = SeededGenerator(seed: UInt64(hash.prefix(15), radix: 16) ?? 0)
        let crops = (0..<6).map { _ in
            let row = Int(generator.next() % UInt64(photograph.height - side.height + 1))
            let column = Int(generator.next() % UInt64(photograph.width - side.width + 1))
            return photograph.planar(rows: row..<row + side.height, columns: column..<column + side.width).inColour
        }
        guard let varied = crops.max(by: { $0.lumaVariance < $1.lumaVariance }) else { return nil }
        let plane = side.width * side.height
        let samples = (0..<3 * plane).map { UInt8(min(max(varied.samples[$0 % 3 * plane + $0 / 3], 0), 1) * 255 + 0.5) }
        let pixels = PixelBuffer(width: side.width, height: side.height, colourChannels: 3, samples: .uint8(samples))
        return (try? Capture(pixels, name: "", hash: hash, seed: 0)) == nil ? nil : pixels
    }

    /// Letters and digits: what a kind may be called in a file's name.
    private static func plain(_ kind: String) -> String {
        let letters = kind.unicodeScalars.filter {
            $0.isASCII && $0.properties.isAlphabetic || ("0"..."9").contains($0)
        }
        return letters.isEmpty ? "unknown" : String(String.UnicodeScalarView(letters.prefix(60)))
    }

    private var names: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path.string)) ?? [])
            .filter { $0.hasSuffix(".png") && !$0.hasPrefix(".") }.sorted()
    }

    private func modified(_ name: String) -> Date? {
        let facts = try? FileManager.default.attributesOfItem(atPath: path.appending(name).string)
        return facts?[.modificationDate] as? Date
    }
}
