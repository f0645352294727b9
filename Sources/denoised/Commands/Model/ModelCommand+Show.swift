import ArgumentParser
import DenoiseService
import Denoising
import Networks
import SystemPackage
import Tensors

extension ModelCommand {
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a model's network, size, speed here, training data, licence and lineage.")

        @Argument(help: "A model's name or file; default: the one in use.")
        var model: String?

        @Option(help: "State folder.")
        var state: String?

        @OptionGroup var choice: CameraOption

        @Flag(inversion: .prefixedNo, help: "Measure a pass on this machine.")
        var speed = true

        @Flag(help: "Print one JSON object.")
        var json = false

        /// Metadata that the fixed facts say already, or that only `verify` needs.
        private static let spoken: Set = ["network", "variant", "data", "licence", "parent", "source", "self_test"]

        func run() throws {
            let model = try ModelStore(state: state.map { FilePath($0) }).model(named: model, for: choice.camera)
            let seconds = speed ? try Self.secondsPerMegapixel(model) : nil
            json ? print(object(model, seconds).line) : lines(model, seconds).forEach { print($0) }
        }

        private func object(_ model: Model, _ seconds: Double?) -> JSONText {
            let metadata = model.metadata
            func said(_ key: String) -> JSONText { .optional(metadata[key]) }
            return .object([
                ("name", .text(model.name)), ("sha256", .text(model.hash)),
                ("network", .text(model.network.configuration.name)), ("configuration", said("network")),
                ("parameters", .integer(Int64(model.network.parameterCount))),
                ("mac_per_pixel", .number(model.network.multiplicationsPerPixel.rounded())),
                ("seconds_per_megapixel", .optional(seconds)), ("variant", said("variant")), ("data", said("data")),
                ("licence", said("licence")), ("parent", said("parent")), ("source", said("source")),
                ("metadata", .object(rest(metadata).map { ($0.key, .text($0.value)) })),
            ])
        }

        private func lines(_ model: Model, _ seconds: Double?) -> [String] {
            let metadata = model.metadata
            var facts = [("name", model.name), ("sha256", model.hash)] + networkFacts(model.network)
            facts.append(("s/megapixel", seconds.map { "\(decimal($0, digits: 2)) for one pass here" } ?? "-"))
            facts += ["variant", "data", "licence", "parent", "source"].map { ($0, metadata[$0] ?? "-") }
            facts += rest(metadata).map { ($0.key, $0.value) }
            facts.append(("configuration", metadata["network"] ?? "-"))
            return factLines(facts)
        }

        private func rest(_ metadata: [String: String]) -> [(key: String, value: String)] {
            metadata.filter { !Self.spoken.contains($0.key) }.sorted { $0.key < $1.key }
        }

        /// Of plain passes, one on each processor at a time, as tiles and masks run.
        private static func secondsPerMegapixel(_ model: Model) throws -> Double {
            let multiple = model.network.tiling.multiple
            let side = (128 + multiple - 1) / multiple * multiple
            let image = Tensor([3, 1, side, side], repeating: 0.5)
            func passes() throws {
                _ = try parallelMap(processorCount, threads: processorCount) { _ in
                    model.network.infer(image, model.weights).count
                }
            }
            try passes()
            let start = ContinuousClock.now
            try passes()
            return (ContinuousClock.now - start).seconds / Double(processorCount * side * side) * 1e6
        }
    }
}

/// A network's name and size, for people.
func networkFacts(_ network: any Network) -> [(String, String)] {
    [
        ("network", network.configuration.name), ("parameters", "\(network.parameterCount)"),
        ("kMAC/pixel", decimal(network.multiplicationsPerPixel / 1000)),
    ]
}
