import Methods
import Tensors

/// Crops that a student learns from: noisy ones with what its teacher makes of them, and clean ones under noise drawn
/// from the teacher's model of it, or of cameras at random where it has none (spec C.6 and G.2).
///
/// Stands behind `Objective.distilled`; other objectives get the photographs' own crops.
public struct DistillationSource: TrainingSource {
    private let teacher: Teacher
    private let photographs: any TrainingSource
    private let cleanShare: Float

    /// - Parameters:
    ///   - photographs: gives noisy crops for `distilled` and pairs for `supervised`.
    ///   - cleanShare: of crops from clean photographs, 0…1.
    public init(teacher: Teacher, photographs: any TrainingSource, cleanShare: Float) {
        self.teacher = teacher
        self.photographs = photographs
        self.cleanShare = cleanShare
    }

    public func sample(for objective: Objective, crop: Int, key: UInt64) throws -> TrainingSample {
        guard objective == .distilled else { return try photographs.sample(for: objective, crop: crop, key: key) }
        let seed = RandomSource.mix(key, 0xD157)
        var random = RandomSource(seed: seed)
        guard random.uniform() < cleanShare else {
            let noisy = try photographs.sample(for: .distilled, crop: crop, key: key).noisy
            return TrainingSample(noisy: noisy, predictions: try teacher.predictions(of: noisy, seed: seed))
        }
        let pair = try photographs.sample(for: .supervised, crop: crop, key: key)
        guard let clean = pair.clean, let noisy = teacher.noisy(clean, seed: seed) else { return pair }
        return TrainingSample(noisy: noisy, clean: clean)
    }
}
