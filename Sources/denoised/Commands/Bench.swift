import ArgumentParser
import Denoising
import Foundation
import Methods
import Networks
import SystemPackage
import Tensors

/// Speed on this machine, beside what its matrix products reach.
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure network passes or training steps, as a share of this machine's matrix products.",
        usage: "denoised bench [<options>]",
        discussion: """
            Each thread runs passes of its own, as tiles and masks do; seconds are wall time divided by passes.

            denoised bench --network restormer --size 256
            denoised bench --network nafnet --profile
            denoised bench --model denoised --train --json
            """)

    @Option(help: "Architecture: \(NetworkConfiguration.names).")
    var network: String?

    @Option(help: "A model's name or file; default: the shipped one.")
    var model: String?

    @Option(help: "Side of the square image.")
    var size = 256

    @Option(help: "Threads; default: one for each processor.")
    var threads: Int?

    @Option(help: "Timed repetitions; the median counts.")
    var repeats = 3

    @Flag(help: "One AMSNet stage-B step on 2 crops of 160×160 instead of a pass.")
    var train = false

    @Flag(help: "Show where the time of one more round goes, operation by operation, summed over threads.")
    var profile = false

    @Flag(help: "Print one JSON object.")
    var json = false

    private struct Result: Encodable {
        let network: String
        let size: Int
        let threads: Int
        let seconds: Double
        let gflops: Double
        let sgemm_share: Unknown<Double>
        let peak_mib: Double
        /// Empty without `--profile`.
        let operations: [Operation]
    }

    /// Null, not absent, where there is none.
    private struct Unknown<Value: Encodable>: Encodable {
        let value: Value?

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(value)
        }
    }

    private struct Operation: Encodable {
        let name: String
        let calls: Int
        let seconds: Double
    }

    func validate() throws {
        guard size >= 16, repeats >= 1, threads ?? 1 >= 1 else {
            throw ValidationError("--size must be at least 16, --repeats and --threads at least 1")
        }
        if let network, NetworkConfiguration.named[network] == nil {
            throw ValidationError("there is no network \(network)")
        }
    }

    func run() throws {
        let (name, network, weights) = try subject()
        let threads = threads ?? processorCount
        let passes = train ? 6.0 * 2 * 160 * 160 : 2.0 * Double(size * size)
        let round = train ? trainingStep(network, weights, threads) : pass(network, weights, threads)
        let seconds = try medianSeconds(round) / (train ? 1 : Double(threads))
        let gflops = network.multiplicationsPerPixel * passes / seconds / 1e9
        let ceiling = matrixProductSpeed(threads: threads)
        let result = Result(
            network: name, size: train ? 160 : size, threads: threads, seconds: seconds, gflops: gflops,
            sgemm_share: Unknown(value: ceiling.map { gflops / $0.gflops }), peak_mib: peakMemory,
            operations: profile ? try operations(round) : [])
        if json { return try Console.json(result) }
        print(text(result, ceiling?.core))
    }

    private func text(_ result: Result, _ core: String?) -> String {
        let subject = train ? "one stage-B step, 2 crops of 160×160" : "one pass of \(size)×\(size)"
        let share = result.sgemm_share.value.map { String(format: "%.0f %%", 100 * $0) } ?? "unknown share"
        let figures =
            String(format: "%.4f s, %.1f GFLOP/s, ", result.seconds, result.gflops) + share
            + String(format: " of sgemm, peak %.0f MiB", result.peak_mib)
        let all = max(result.operations.reduce(0) { $0 + $1.seconds }, .leastNormalMagnitude)
        let lines = result.operations.map {
            String(format: "%10.4f s %5.1f %% %7d  ", $0.seconds, 100 * $0.seconds / all, $0.calls) + $0.name
        }
        let table = lines.isEmpty ? [] : ["      time  share   calls  operation, all threads"] + lines
        return
            ([
                "\(result.network), \(subject), \(result.threads) threads", figures,
                "arithmetic: \(arithmeticName), OpenBLAS \(core ?? "missing")",
            ]
            + table).joined(separator: "\n")
    }

    private func operations(_ round: () throws -> Void) throws -> [Operation] {
        try profiled(round).map { Operation(name: $0.name, calls: $0.calls, seconds: $0.seconds) }
    }

    private func subject() throws -> (String, any Network, Weights) {
        if let network, let configuration = NetworkConfiguration.named[network] {
            let made = configuration.makeNetwork()
            return (network, made, Weights(initialising: made, seed: 1))
        }
        let model = try ModelStore(state: nil).model(named: model)
        return (model.name, model.network, model.weights)
    }

    /// A pass on each thread.
    private func pass(_ network: any Network, _ weights: Weights, _ threads: Int) -> () throws -> Void {
        let image = Tensor([3, 1, size, size], repeating: 0.5)
        return {
            _ = try parallelMap(threads, threads: threads) { _ in
                network.anySize(Variable(image), Pass(weights)).tensor.count
            }
        }
    }

    private func trainingStep(_ network: any Network, _ weights: Weights, _ threads: Int) -> () throws -> Void {
        let plan = TrainingPlan(stages: [.init(.masked, steps: repeats + 2, rate: 1e-4)], batch: 2)
        var trainer = Trainer(network: network, plan: plan, weights: weights)
        return { _ = try trainer.advance(from: GreySource(), threads: threads) }
    }

    private func medianSeconds(_ body: () throws -> Void) throws -> Double {
        try body()
        let times = try (0..<repeats).map { _ in
            let start = ContinuousClock.now
            try body()
            return (ContinuousClock.now - start).seconds
        }
        return times.sorted()[repeats / 2]
    }

    /// A ramp: what is in the picture does not change the work.
    private struct GreySource: TrainingSource {
        func sample(for objective: Objective, crop: Int, key: UInt64) -> TrainingSample {
            TrainingSample(
                noisy: Tensor([3, 1, crop, crop], (0..<3 * crop * crop).map { Float($0 % crop) / Float(crop) }))
        }
    }
}
