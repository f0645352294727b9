import Denoising
import Foundation
import Imaging
import Methods
import Networks
import SystemPackage
import Tensors
import TestSupport
import Testing

/// Models, photographs and folders for tests of whole photographs.
enum Small {
    /// A network that computes a photograph of a few thousand pixels in milliseconds.
    static let network = NAFNetBase(.init(width: 4, encoder: [1], middle: 1, decoder: [1]))

    /// Weights for a network that changes the photograph a little: random ones, with the output scaled down.
    static var weights: Weights {
        var weights = Weights(initialising: network, seed: 3)
        for name in ["ending.weight", "ending.bias"] {
            guard let tensor = weights.tensors[name] else { continue }
            weights.tensors[name] = Tensor(tensor.shape, tensor.values.map { $0 * 0.1 })
        }
        return weights
    }

    /// Writes the model into `folder` and reads it back.
    static func model(in folder: FilePath, _ metadata: [String: String] = ["licence": "CC0"]) throws -> Model {
        let path = folder.appending("small.safetensors")
        try Model.write(weights, of: network, metadata: metadata, to: path)
        return try Model(contentsOf: path)
    }

    /// A denoiser of few passes.
    static func denoiser(_ model: Model, _ change: (inout ImageOptions) -> Void = { _ in }) throws -> PhotographDenoiser
    {
        var options = ImageOptions()
        options.preset = .balanced
        options.threads = 1
        change(&options)
        return try PhotographDenoiser(options: options, model: model)
    }

    /// Samples of a gradient with noise, for any kind of pixels.
    static func pixels(_ kind: PixelKind, width: Int = 37, height: Int = 29) -> PixelBuffer {
        var random = RandomSource(seed: 1)
        let channels = kind.colourChannels + kind.extraChannels.count
        let values = (0..<width * height * channels).map { index in
            let place = Float(index / channels % width) / Float(2 * width)
            return min(max(0.25 + place + 0.1 * random.normal(), 0), 1)
        }
        let samples: PixelBuffer.Samples =
            kind.depth == 8 ? .uint8(values.map { UInt8($0 * 255) }) : .uint16(values.map { UInt16($0 * 65_535) })
        return PixelBuffer(
            width: width, height: height, colourChannels: kind.colourChannels, extraChannels: kind.extraChannels,
            samples: samples)
    }

    /// Encodes a photograph as a file.
    static func write(_ photograph: Photograph, _ format: ImageEncoder.Format, to path: FilePath) throws {
        let file = try StagedFile(path)
        try ImageEncoder.encode(photograph, format: format, to: file)
        _ = try file.finish()
    }

    /// An empty folder `name` in `folder`.
    static func folder(_ name: String, in folder: FilePath) throws -> FilePath {
        let path = folder.appending(name)
        try FileManager.default.createDirectory(atPath: path.string, withIntermediateDirectories: false)
        return path
    }

    static func bytes(_ path: FilePath) throws -> Data { try Data(contentsOf: URL(filePath: path.string)) }

    static func names(in folder: FilePath) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.string).sorted()
    }
}

/// Depth and channels of a photograph, as a test argument.
struct PixelKind: Sendable, CustomTestStringConvertible {
    let depth: Int
    let colourChannels: Int
    var extraChannels: [ExtraChannel] = []

    var testDescription: String { "\(depth)-bit, \(colourChannels)+\(extraChannels.count) channels" }

    static let all = [8, 16].flatMap { depth in
        [1, 3].flatMap { colour in
            [[], [ExtraChannel.alpha]].map { PixelKind(depth: depth, colourChannels: colour, extraChannels: $0) }
        }
    }
}

extension PixelBuffer {
    /// Every sample, whatever its type.
    var allSamples: [Float] {
        switch samples {
        case .uint8(let values): values.map { Float($0) }
        case .uint16(let values): values.map { Float($0) }
        case .float32(let values): values
        }
    }

    /// The samples of channel `channel`.
    func plane(_ channel: Int) -> [Float] {
        let samples = allSamples
        return stride(from: channel, to: samples.count, by: channels).map { samples[$0] }
    }
}

/// Runs `body` with a temporary folder as a path.
func withTemporaryPath<Result>(_ body: (FilePath) throws -> Result) throws -> Result {
    try withTemporaryFolder { try body(FilePath($0.path)) }
}
