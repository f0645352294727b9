import Crypto
import Foundation
import Imaging
import SystemPackage

/// A noisy photograph, or a crop of one, to learn from or to judge by.
public struct Capture: Sendable {
    /// Where it comes from, for messages.
    public let name: String
    /// SHA-256 of the file, lowercase hexadecimal: decides for ever whether it is learned from or judged by.
    public let hash: String
    /// Three channels in [0, 1], at most `largestSide` to each side.
    public let pixels: PlanarImage
    public let noise: CaptureNoise

    /// A crop of this size holds enough of a photograph.
    static let largestSide = 512
    static let smallestSide = 160
    /// Weaker noise (in 1/255) is that of a clean photograph, from which there is nothing to learn.
    static let leastNoise: Float = 0.8
    /// A larger share of noise in the variance of luma means that there is no picture below it.
    static let mostNoise: Float = 0.5

    /// Why a file teaches nothing.
    struct Unsuitable: Error, CustomStringConvertible {
        let description: String
    }

    init(name: String, hash: String, pixels: PlanarImage, noise: CaptureNoise) {
        self.name = name
        self.hash = hash
        self.pixels = pixels
        self.noise = noise
    }

    /// Reads a photograph and measures its noise.
    ///
    /// - Parameter camera: whose photographs are wanted; nil for everyone's.
    /// - Returns: nil for a photograph of another camera.
    /// - Throws: `ImagingError`, or `Unsuitable` for photographs that are too small, clean, or nothing but noise.
    init?(
        contentsOf path: FilePath, of camera: Camera? = nil, limits: DecodingLimits = DecodingLimits(followsLinks: true)
    ) throws {
        let contents = try FileContents(path, limits: limits)
        let digest = contents.bytes.withUnsafeBytes { SHA256.hash(data: $0) }
        let photograph = try ImageDecoder.decode(contents, limits: limits)
        guard camera == nil || Camera(photograph.metadata.camera) == camera else { return nil }
        try self.init(photograph.pixels, name: ImagingError.display(path), hash: digest.hexadecimal, seed: digest.seed)
    }

    init(_ photograph: PixelBuffer, name: String, hash: String, seed: UInt64) throws {
        let (width, height) = (photograph.width, photograph.height)
        guard min(width, height) >= Self.smallestSide else {
            throw Unsuitable(description: "\(name): \(width)×\(height) pixels are too few")
        }
        var generator = SeededGenerator(seed: seed)
        let (rows, columns) = (min(height, Self.largestSide), min(width, Self.largestSide))
        let row = Int(generator.next() % UInt64(height - rows + 1))
        let column = Int(generator.next() % UInt64(width - columns + 1))
        let crop = photograph.planar(rows: row..<row + rows, columns: column..<column + columns).inColour
        guard let noise = CaptureNoise(of: photograph.noiseSample.inColour), noise.deviation * 255 >= Self.leastNoise
        else { throw Unsuitable(description: "\(name): it has no noise to learn from") }
        guard noise.deviation * noise.deviation < Self.mostNoise * crop.lumaVariance else {
            throw Unsuitable(description: "\(name): there is no picture below its noise")
        }
        self.init(name: name, hash: hash, pixels: crop, noise: noise)
    }
}

/// The captures that a model is fitted to, and those that it is judged by.
public struct CaptureSet: Sendable {
    public let training: [Capture]
    public let heldOut: [Capture]

    /// Fewer teach nothing that could be proven.
    public static let fewest = 8
    /// More teach little more, and each takes 10 MB.
    public static let most = 96

    /// Divides captures by their hashes: about one in four is held out, at least one in five, and the same ones again
    /// when captures are added. Copies of one file count once.
    public init(_ captures: [Capture]) {
        var hashes = Set<String>()
        let sorted = captures.filter { hashes.insert($0.hash).inserted }.sorted { $0.hash < $1.hash }
        let quarter = sorted.prefix { $0.hash < "4" }.count
        let held = max(quarter, (sorted.count + 4) / 5)
        heldOut = Array(sorted.prefix(held))
        training = Array(sorted.dropFirst(held))
    }

    /// Reads the photographs of the folders; of more than `most` so many that are spread evenly.
    ///
    /// - Parameters:
    ///   - camera: whose photographs alone are to count; then they are looked for in an order that has nothing to do
    ///     with their names.
    ///   - skipped: called for each file that cannot be read or teaches nothing.
    /// - Throws: `OptionsError` when a folder cannot be read.
    public init(folders: [FilePath], of camera: Camera? = nil, skipped: (String) -> Void) throws {
        var files = try folders.flatMap { try PhotographFolder.files(in: $0) }
        if camera != nil {
            var generator = SeededGenerator(seed: 0)
            files.shuffle(using: &generator)
        } else {
            let (all, count) = (files, min(files.count, Self.most))
            files = (0..<count).map { all[$0 * all.count / count] }
        }
        self.init(files: files, of: camera, skipped: skipped)
    }

    /// Reads photographs until there are `most`.
    public init(files: [FilePath], of camera: Camera? = nil, skipped: (String) -> Void) {
        var captures: [Capture] = []
        for path in files where captures.count < Self.most {
            do {
                if let capture = try Capture(contentsOf: path, of: camera) { captures.append(capture) }
            } catch {
                skipped("\(error)")
            }
        }
        self.init(captures)
    }

    public var count: Int { training.count + heldOut.count }

    /// Names these captures and their division: what a resumed run must find again.
    var digest: String {
        let names = heldOut.map { "judged \($0.hash)\n" } + training.map { "learned \($0.hash)\n" }
        return SHA256.hash(data: Data(names.joined().utf8)).hexadecimal
    }
}

extension PlanarImage {
    /// Three channels; grey is repeated.
    var inColour: PlanarImage {
        channels == 3
            ? self : PlanarImage(width: width, height: height, channels: 3, samples: samples + samples + samples)
    }

    var lumaVariance: Float {
        let values = luma
        let mean = values.reduce(0, +) / Float(values.count)
        return values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Float(values.count)
    }
}
