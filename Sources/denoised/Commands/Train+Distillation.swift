import ArgumentParser
import Denoising
import Methods

/// Options of `train` for students.
struct DistillationOptions: ParsableArguments {
    @Option(
        help:
            "Teacher, a model by name or file: --network becomes its student for --steps, one plain pass that learns the teacher's predictions of --noisy and, under noise that the teacher or a camera makes, --clean."
    )
    var distil: String?

    var isChosen: Bool { distil != nil }

    /// A student learns in one stage.
    func stages(steps: Int, rate: Double) -> [TrainingPlan.Stage]? {
        isChosen ? [.init(.distilled, steps: steps, rate: rate)] : nil
    }

    /// - Throws: `ValidationError` for options that distillation has no use for.
    func check(othersSteps: Int, steps: Int, noisy: [String], clean: [String], validateEvery: Int) throws {
        guard isChosen else { return }
        guard othersSteps == 0 else { throw ValidationError("--distil has one stage: give --steps alone") }
        guard steps == 0 || !(noisy.isEmpty && clean.isEmpty) else {
            throw ValidationError("--distil needs --noisy, --clean or both")
        }
        guard validateEvery == 0 else {
            throw ValidationError("--validate-every is for networks that learn under masks")
        }
    }

    /// What a plan learns from.
    ///
    /// - Throws: `ValidationError` for a plan to distil without a teacher; `ModelError`.
    func source(
        _ folder: TrainingFolder, for plan: TrainingPlan
    ) throws -> (source: any TrainingSource, teacher: Teacher?) {
        guard plan.stages.contains(where: { $0.objective == .distilled }) else { return (folder, nil) }
        guard let distil else { throw ValidationError("this training distils: name its teacher with --distil again") }
        let teacher = Teacher(try ModelStore(state: nil).model(named: distil))
        let (noisy, clean) = (folder.count.noisy > 0, folder.count.clean > 0)
        let share: Float = noisy && clean ? 0.5 : clean ? 1 : 0
        return (DistillationSource(teacher: teacher, photographs: folder, cleanShare: share), teacher)
    }
}
