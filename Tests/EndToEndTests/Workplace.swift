import Denoising
import Foundation
import Imaging
import Networks
import SystemPackage
import TestSupport

/// A folder for one test with a model so small that it costs nothing; what it computes does not matter.
final class Workplace {
    /// Longer paths do not fit the address of a socket.
    let root: URL
    let model: String

    init() throws {
        root = try TemporaryFolder.make("dn", in: URL(filePath: "/tmp"))
        model = root.appending(path: "tiny.safetensors").path
        let network = NAFNetBase(.init(width: 4, encoder: [1], middle: 1, decoder: [1]))
        try Model.write(
            Weights(initialising: network, seed: 1), of: network, metadata: ["hidden_pixels": "neighbours"],
            to: FilePath(model))
    }

    var run: Program { Program(folder: root) }

    subscript(_ path: String) -> URL { root.appending(path: path) }

    func folder(_ name: String) throws {
        try FileManager.default.createDirectory(at: self[name], withIntermediateDirectories: true)
    }

    /// A committed picture.
    static func fixture(_ name: String) throws -> Data { try Fixtures.data("Images/\(name)") }

    /// Copies a committed picture; `name` is that of the copy.
    func put(_ fixture: String, as name: String) throws {
        try FileManager.default.createDirectory(
            at: self[name].deletingLastPathComponent(), withIntermediateDirectories: true)
        try Self.fixture(fixture).write(to: self[name])
    }

    /// A TIFF of which only the beginning was copied.
    func putBrokenTIFF(as name: String) throws {
        try Fixtures.data("Images/made/rgb16-little.tif").prefix(700).write(to: self[name])
    }

    /// A PNG of waves, with noise from a fixed sequence of ±`noise` levels, that names a camera.
    func putWaves(
        as name: String, width: Int = 256, height: Int = 192, noise: Int = 12, amplitude: Double = 80,
        camera: String? = nil
    ) throws {
        var state: UInt32 = 7
        var samples: [UInt8] = []
        for y in 0..<height {
            for x in 0..<width {
                for channel in 0..<3 {
                    state = state &* 1_664_525 &+ 1_013_904_223
                    let wave = 128 + amplitude * sin(Double(x) / 17 + Double(channel)) * cos(Double(y) / 23)
                    let grain = Int(state >> 16) % (2 * noise + 1) - noise
                    samples.append(UInt8(max(0, min(255, Int(wave) + grain))))
                }
            }
        }
        let pixels = PixelBuffer(width: width, height: height, colourChannels: 3, samples: .uint8(samples))
        let file = try StagedFile(FilePath(self[name].path))
        try ImageEncoder.encode(
            Photograph(pixels: pixels, metadata: Metadata(model: camera), format: .png), format: .png, to: file)
        _ = try file.finish()
    }

    func bytes(_ name: String) throws -> Data { try Data(contentsOf: self[name]) }

    /// Everything in a folder and its folders, hidden files too, sorted.
    func names(_ folder: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: self[folder].path).sorted()
    }

    /// The bytes of every file of a folder by name.
    func contents(_ folder: String) throws -> [String: Data] {
        Dictionary(uniqueKeysWithValues: try names(folder).map { ($0, try bytes("\(folder)/\($0)")) })
    }

    func decoded(_ name: String) throws -> PixelBuffer { try ImageDecoder.decode(FilePath(self[name].path)).pixels }
}
