import ArgumentParser
import DenoiseService
import Denoising
import SystemPackage

/// Models: what there is, what is in it, whether it is whole, and which one is used.
struct ModelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "model", abstract: "List, show, import, verify and choose models.",
        discussion: """
            denoised model import restormer.ckpt --out restormer.safetensors
            denoised model show restormer.safetensors
            denoised model use restormer.safetensors --state /var/lib/denoised
            denoised model rollback --camera "Canon EOS 5D" --state /var/lib/denoised
            """,
        subcommands: [List.self, Show.self, Import.self, Verify.self, Use.self, Rollback.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the models of the state folder and the package.")

        @Option(help: "State folder.")
        var state: String?

        @Flag(help: "Print one JSON object for each model.")
        var json = false

        func run() throws {
            let store = ModelStore(state: state.map { FilePath($0) })
            let used = try? store.path(named: nil)
            let cameras = Dictionary(grouping: store.cameras) { try? store.path(named: nil, for: $0) }
            for path in store.available() where json {
                print(
                    JSONText.object([
                        ("name", .optional(path.stem)), ("file", .text(path.string)),
                        ("in_use", .boolean(path == used)),
                        ("cameras", .list(cameras[path, default: []].map { .text($0.name) })),
                    ]).line)
            }
            if json { return }
            let facts = store.available().map { path in
                let uses = (path == used ? ["in use"] : []) + cameras[path, default: []].map { "in use for \($0)" }
                return (
                    path.stem ?? path.string, path.string + (uses.isEmpty ? "" : " (\(uses.joined(separator: ", ")))")
                )
            }
            for line in factLines(facts) { print(line) }
        }
    }

    struct Use: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a model the one that a state folder's commands use.",
            discussion: """
                A file that lies elsewhere is copied there. A running daemon takes it when it is reloaded (SIGHUP).
                """)

        @Argument(help: "A model's name or file.")
        var model: String

        @Option(help: "State folder.")
        var state: String

        @OptionGroup var choice: CameraOption

        func run() throws {
            let model = try ModelStore(state: FilePath(state)).promote(model, for: choice.camera)
            print(choice.line(model))
        }
    }

    struct Rollback: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Go back to the model that was in use before.",
            discussion: "A running daemon takes it when it is reloaded (SIGHUP).")

        @Option(help: "State folder.")
        var state: String

        @OptionGroup var choice: CameraOption

        func run() throws {
            let model = try ModelStore(state: FilePath(state)).rollback(for: choice.camera)
            print(choice.line(model))
        }
    }
}

extension Camera: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

/// Whose model is meant.
struct CameraOption: ParsableArguments {
    @Option(help: "The model for this camera's photographs alone (make and model, as in history).")
    var camera: Camera?

    /// What is said of the model that holds from now on.
    func line(_ model: Model) -> String {
        "\(printable(model.name)) is in use\(camera.map { " for \($0)" } ?? ""), sha256 \(model.hash)"
    }
}
