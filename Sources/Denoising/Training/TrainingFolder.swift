import Foundation
import Imaging
import Methods
import SystemPackage
import Tensors

/// Crops at random places of photographs in folders, flipped at random (spec A.9).
///
/// Photographs are kept in memory at 8 bits, so that a crop costs no decoding.
public struct TrainingFolder: TrainingSource {
    /// Largest clean photograph kept, in megapixels: larger ones are shrunk by a whole factor, which also takes away
    /// what noise and compression they carry.
    static let cleanMegapixels = 4.0

    private let noisy: Division
    private let clean: Division

    /// Photographs that are learned from, and those that only tell how well.
    private struct Division {
        let learned: [EightBitImage]
        let held: [EightBitImage]

        /// One in eight is held out, so that adding a photograph at the end changes no other's part; a single one
        /// serves for both.
        init(_ images: [EightBitImage], holdsOut: Bool) {
            let isHeld = { (index: Int) in index % 8 == 0 && images.count > 1 }
            held = holdsOut ? images.indices.filter { $0 % 8 == 0 }.map { images[$0] } : []
            learned = holdsOut ? images.indices.filter { !isHeld($0) }.map { images[$0] } : images
        }
    }

    /// - Parameters:
    ///   - noisy: folders of noisy captures, for stages B and P.
    ///   - clean: folders of clean photographs, for synthetic pairs.
    ///   - side: the smallest side that a photograph must have.
    ///   - holdsOut: whether one photograph in eight is kept for validation.
    ///   - decoder: where the files are decoded.
    ///   - skipped: called for each file that is too small or cannot be decoded.
    /// - Throws: `OptionsError` when a folder that was named holds no photograph.
    public init(
        noisy: [FilePath], clean: [FilePath], side: Int, holdsOut: Bool = false,
        decoder: PhotographDecoder = .inThisProcess, skipped: (String) -> Void
    ) throws {
        self.noisy = Division(
            try Self.load(noisy, side: side, shrinking: false, decoder, skipped), holdsOut: holdsOut)
        self.clean = Division(try Self.load(clean, side: side, shrinking: true, decoder, skipped), holdsOut: holdsOut)
    }

    /// Photographs to learn from.
    public var count: (noisy: Int, clean: Int) { (noisy.learned.count, clean.learned.count) }

    public func sample(for objective: Objective, crop: Int, key: UInt64) throws -> TrainingSample {
        try sample(of: objective.needsClean ? clean.learned : noisy.learned, for: objective, crop: crop, key: key)
    }

    /// Sixteen crops of what is never learned from; the same ones every time.
    public func validationSamples(for objective: Objective, crop: Int) throws -> [TrainingSample] {
        try (0..<16).map { index in
            try sample(
                of: objective.needsClean ? clean.held : noisy.held, for: objective, crop: crop,
                key: RandomSource.mix(0x5EED, UInt64(index)))
        }
    }

    private func sample(
        of images: [EightBitImage], for objective: Objective, crop: Int, key: UInt64
    ) throws -> TrainingSample {
        var random = RandomSource(seed: key)
        guard !images.isEmpty else {
            let option = objective.needsClean ? "--clean" : "--noisy"
            throw OptionsError(
                description: "no photographs for the objective \(objective.rawValue): name a folder with \(option)")
        }
        let image = images[random.index(below: images.count)]
        // Clean photographs are met at half their size and darker as well: finer texture, deeper shadows.
        let isShrunk = objective.needsClean && random.uniform() < 0.3 && min(image.width, image.height) >= 2 * crop
        let side = isShrunk ? 2 * crop : crop
        var planes = image.crop(
            row: random.index(below: image.height - side + 1), column: random.index(below: image.width - side + 1),
            side: side, flips: (random.uniform() < 0.5, random.uniform() < 0.5))
        guard objective.needsClean else { return TrainingSample(noisy: Tensor(colour: planes)) }
        if isShrunk { planes = planes.halved }
        if random.uniform() < 0.25 {
            let exposure = Float(0.3 + 0.7 * random.uniform())
            for index in planes.samples.indices { planes.samples[index] *= exposure }
        }
        var generator = SeededGenerator(seed: random.next())
        let pair = NoiseModel.sampled(using: &generator).pair(from: planes, using: &generator)
        return TrainingSample(noisy: Tensor(colour: pair.noisy), clean: Tensor(colour: pair.clean))
    }

    private static func load(
        _ folders: [FilePath], side: Int, shrinking: Bool, _ decoder: PhotographDecoder, _ skipped: (String) -> Void
    ) throws -> [EightBitImage] {
        try folders.flatMap { folder -> [EightBitImage] in
            let images = try PhotographFolder.files(in: folder).compactMap { path -> EightBitImage? in
                do {
                    let pixels = try decoder.decode(path).pixels
                    let megapixels = Double(pixels.width * pixels.height) / 1e6
                    let factor = shrinking ? Int((megapixels / cleanMegapixels).squareRoot().rounded(.up)) : 1
                    let image = EightBitImage(pixels, shrunkBy: factor)
                    if min(image.width, image.height) >= side { return image }
                    skipped("\(path): \(image.width)×\(image.height) pixels are too few for crops of \(side)")
                } catch {
                    skipped("\(error)")
                }
                return nil
            }
            guard !images.isEmpty else {
                throw OptionsError(description: "\(folder) holds no photograph of at least \(side)×\(side) pixels")
            }
            return images
        }
    }
}

/// Three planes of 8-bit samples.
struct EightBitImage: Sendable {
    let width: Int
    let height: Int
    private let samples: [UInt8]

    /// - Parameter factor: each output pixel is the mean of factor² input pixels.
    init(_ pixels: PixelBuffer, shrunkBy factor: Int) {
        (width, height) = (pixels.width / factor, pixels.height / factor)
        var samples = [UInt8](repeating: 0, count: 3 * width * height)
        for row in 0..<height {
            let rows = pixels.planar(rows: row * factor..<(row + 1) * factor, columns: 0..<width * factor)
            for channel in 0..<3 {
                let source = min(channel, rows.channels - 1)
                for column in 0..<width {
                    var sum: Float = 0
                    for y in 0..<factor {
                        for x in 0..<factor { sum += rows[source, y, column * factor + x] }
                    }
                    samples[(channel * height + row) * width + column] = UInt8(sum * 255 / Float(factor * factor) + 0.5)
                }
            }
        }
        self.samples = samples
    }

    /// A square crop in [0, 1], mirrored across and down where asked.
    func crop(row: Int, column: Int, side: Int, flips: (across: Bool, down: Bool)) -> PlanarImage {
        var image = PlanarImage(width: side, height: side, channels: 3)
        image.samples.withUnsafeMutableBufferPointer { target in
            samples.withUnsafeBufferPointer { source in
                for channel in 0..<3 {
                    for y in 0..<side {
                        let from = (channel * height + row + (flips.down ? side - 1 - y : y)) * width + column
                        let to = (channel * side + y) * side
                        for x in 0..<side {
                            target[to + x] = Float(source[from + (flips.across ? side - 1 - x : x)]) / 255
                        }
                    }
                }
            }
        }
        return image
    }
}

extension PlanarImage {
    /// Half the size: the means of 2×2 pixels.
    var halved: PlanarImage {
        var result = PlanarImage(width: width / 2, height: height / 2, channels: channels)
        for channel in 0..<channels {
            for row in 0..<result.height {
                for column in 0..<result.width {
                    let (y, x) = (2 * row, 2 * column)
                    result[channel, row, column] =
                        (self[channel, y, x] + self[channel, y, x + 1] + self[channel, y + 1, x]
                            + self[channel, y + 1, x + 1]) / 4
                }
            }
        }
        return result
    }
}
