import Foundation
import Imaging
import SystemPackage

/// Noisy crops of what the daemon has seen, in `<state>/captures`: what it fits its model to at night.
///
/// A crop is at most 512 pixels and at most half of the photograph to each side, so that no photograph is kept whole.
/// There are never more than 80, of which four cameras can have the twenty that a model of their own needs. Cameras
/// share them evenly, and each camera's sensitivities its part: when the folder is full, a crop of the most frequent
/// sensitivity of the most frequent camera makes room, the oldest first.
public struct CaptureFolder: Sendable {
    public let path: FilePath

    static let most = 80
    private static let marker = ".learned"

    /// - Parameter state: the state folder.
    public init(state: FilePath) { path = state.appending("captures") }

    /// The crops of a camera, or of all, by name.
    public func files(of camera: Camera? = nil) -> [FilePath] {
        names.filter { camera == nil || CaptureName($0).camera == camera }.map { path.appending($0) }
    }

    /// What there is, and who has learned from it.
    public var census: CaptureCensus {
        let crops = names.map {
            CaptureCensus.Crop(camera: CaptureName($0).camera, date: modified($0) ?? .distantPast)
        }
        let turns = Set(crops.map { CaptureCensus.Turn(camera: $0.camera) } + [CaptureCensus.Turn(camera: nil)])
        let learned = turns.compactMap { turn in modified(turn.camera.fileName(Self.marker)).map { (turn, $0) } }
        return CaptureCensus(crops: crops, learned: Dictionary(uniqueKeysWithValues: learned))
    }

    /// A camera's model, or the general one, has learned from all that there is now.
    public func markLearned(for camera: Camera? = nil) throws {
        try FileManager.default.createDirectory(atPath: path.string, withIntermediateDirectories: true)
        try StagedFile.replace(path.appending(camera.fileName(Self.marker)), with: Data())
    }

    /// Keeps a crop of a photograph, if it is noisy and shows something.
    ///
    /// - Parameters:
    ///   - camera: as the photograph says it.
    ///   - iso: speed rating.
    ///   - hash: SHA-256 of the file, lowercase hexadecimal; the same photograph is kept once.
    /// - Returns: whether a crop was kept.
    /// - Throws: `ImagingError` where it cannot be written.
    @discardableResult
    public func keep(_ photograph: PixelBuffer, camera: String?, iso: Double?, hash: String) throws -> Bool {
        let name = CaptureName.text(camera: Camera(camera), iso: iso, hash: hash)
        let known = names
        guard !known.contains(where: { $0.hasSuffix(CaptureName.ending(hash)) }),
            let crop = Self.crop(of: photograph, hash: hash)
        else { return false }
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
        var left = files.sorted { ($0.modified, $0.name) < ($1.modified, $1.name) }
        var names: [String] = []
        while left.count >= most {
            let camera = mostFrequent(left) { CaptureName($0.name).camera?.name ?? "" }
            let kind = mostFrequent(camera) { CaptureName($0.name).sensitivity }
            guard let oldest = kind.first?.name else { break }
            names.append(oldest)
            left.removeAll { $0.name == oldest }
        }
        return names
    }

    /// The largest of the groups by `key`, in their order. Equal ones are told apart by their keys, so that the choice
    /// is always the same.
    private static func mostFrequent<Element>(_ elements: [Element], by key: (Element) -> String) -> [Element] {
        Dictionary(grouping: elements, by: key).max { ($0.value.count, $1.key) < ($1.value.count, $0.key) }?.value ?? []
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

    private var names: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path.string)) ?? [])
            .filter { $0.hasSuffix(".png") && !$0.hasPrefix(".") }.sorted()
    }

    private func modified(_ name: String) -> Date? {
        let facts = try? FileManager.default.attributesOfItem(atPath: path.appending(name).string)
        return facts?[.modificationDate] as? Date
    }
}
