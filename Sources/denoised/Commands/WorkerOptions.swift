import ArgumentParser
import Tensors

/// How many processors a long command may keep busy.
struct WorkerOptions: ParsableArguments {
    @Option(help: "Worker threads; default: one for each processor.")
    var threads: Int?

    var count: Int { threads ?? processorCount }

    func validate() throws {
        guard threads ?? 1 > 0 else { throw ValidationError("--threads must be at least 1") }
    }
}
