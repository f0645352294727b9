import ArgumentParser
import Denoising
import Foundation
import Networks
import SystemPackage

/// Models: what there is and what is in it.
struct ModelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "model", abstract: "List and show models.", subcommands: [List.self, Show.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the models of the state folder and the package.")

        @Option(help: "State folder.")
        var state: String?

        func run() throws {
            let models = ModelStore(state: state.map { FilePath($0) }).available()
            for line in factLines(models.map { ($0.stem ?? $0.string, $0.string) }) { print(line) }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show a model's network, size, data and lineage.")

        @Argument(help: "A model's name or file; default: the one in use.")
        var model: String?

        @Option(help: "State folder.")
        var state: String?

        func run() throws {
            let model = try ModelStore(state: state.map { FilePath($0) }).model(named: model)
            var facts = [
                ("name", model.name), ("sha256", model.hash), ("network", model.network.configuration.name),
                ("parameters", "\(model.network.parameterCount)"),
                ("kMAC/pixel", decimal(model.network.multiplicationsPerPixel / 1000)),
            ]
            facts += model.metadata.sorted { $0.key < $1.key }
                .map { ($0.key == "network" ? "configuration" : $0.key, $0.value) }
            for line in factLines(facts) { print(line) }
        }
    }
}
