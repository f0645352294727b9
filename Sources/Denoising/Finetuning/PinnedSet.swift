import Foundation
import Imaging
import SystemPackage

/// Photographs whose truth is known, inside the package and never learned from by fine-tuning: what a candidate must
/// not have forgotten.
///
/// `pinned.png` holds sixteen crops of 128×128 pixels from sixteen clean photographs. Each camera of a fixed list puts
/// its noise on all of them, from none to strong; the seeds are fixed, so that every candidate everywhere is judged on
/// the same pixels.
public struct PinnedSet: Sendable {
    /// One camera's noise on the crops.
    struct Scene: Sendable {
        let clean: PlanarImage
        let noisy: PlanarImage
    }

    /// PSNR of every crop under every camera, in dB.
    public struct Scores: Sendable, Equatable {
        public let values: [Double]
        public var mean: Double { values.reduce(0, +) / Double(values.count) }

        /// The greatest loss of any crop against `before`, in dB; 0 where none lost.
        public func worstLoss(since before: Scores) -> Double {
            zip(before.values, values).map { $0 - $1 }.reduce(0, max)
        }

        /// The crop that lost most against `before`; crops are counted through camera by camera.
        func worst(since before: Scores) -> (index: Int, before: Double, after: Double)? {
            zip(values.indices, zip(before.values, values)).map { ($0, $1.0, $1.1) }.max { $0.1 - $0.2 < $1.1 - $1.2 }
        }
    }

    let scenes: [Scene]
    private static let side = 128
    /// Deviation of luma on flat grey for each camera, in units of 1/255.
    private static let deviations: [Float] = [0, 1.2, 2.2, 3.5, 5, 8]
    /// Above it, in dB, nobody sees a difference, and small ones are large numbers; what clean photographs may become.
    private static let ceiling = 42.0

    /// The set of the package.
    ///
    /// - Throws: `ModelError` where the package is incomplete.
    public static func shipped() throws -> PinnedSet {
        PinnedSet(clean: try .shipped("pinned.png"))
    }

    /// - Parameter clean: crops of `side`² side by side.
    init(clean: PlanarImage) {
        scenes = Self.deviations.enumerated().map { index, deviation in
            guard deviation > 0 else { return Scene(clean: clean, noisy: clean) }
            var generator = SeededGenerator(seed: UInt64(index))
            let pair = NoiseModel.sampled(deviation: deviation / 255, using: &generator)
                .pair(from: clean, using: &generator)
            return Scene(clean: pair.clean, noisy: pair.noisy)
        }
    }

    /// - Throws: `NonFiniteOutput` where the model's output is not finite.
    func scores(of model: Model, options: ImageOptions) throws -> Scores {
        Scores(
            values: try scenes.flatMap { scene in
                let denoised = try RiskEstimate.denoised(
                    scene.noisy, model, options, noiseSample: scene.noisy, seed: 1)
                return Self.psnr(denoised, scene.clean)
            })
    }

    private static func psnr(_ image: PlanarImage, _ clean: PlanarImage) -> [Double] {
        var values: [Double] = []
        for row in stride(from: 0, through: clean.height - side, by: side) {
            for column in stride(from: 0, through: clean.width - side, by: side) {
                var sum = 0.0
                for channel in 0..<3 {
                    for y in row..<row + side {
                        for x in column..<column + side {
                            let difference = Double(image[channel, y, x] - clean[channel, y, x])
                            sum += difference * difference
                        }
                    }
                }
                let error = sum / Double(3 * side * side)
                values.append(min(-10 * log10(max(error, 1e-12)), ceiling))
            }
        }
        return values
    }
}
