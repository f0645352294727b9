import Denoising
import SystemPackage

/// One key of the configuration: its names, what it means, and how text becomes its value.
public struct ConfigurationKey: Sendable {
    /// As in the file: "watch.stability_delay".
    public let name: String
    /// One line for `config defaults`.
    public let summary: String
    /// Whether the key takes several values; in the environment they are separated by `separator`.
    public let isList: Bool
    let separator: Character
    let apply: @Sendable (inout Configuration, [String]) throws -> Void

    /// Why a text is no value for a key: completes the sentence "KEY: …".
    struct ValueError: Error {
        let cause: String
        let remedy: String
    }

    /// As in the environment: "DENOISED_WATCH_STABILITY_DELAY".
    public var environmentName: String {
        "DENOISED_" + name.uppercased().replacing(".", with: "_")
    }

    public var section: Substring { name.prefix { $0 != "." } }

    /// Every key, in the order of the product page.
    public static let all: [ConfigurationKey] = watch + output + denoise + limits + state

    private static let watch = [
        list("watch.path", "inbox folders", separator: ":") { $0.watch.paths = try $1.map(path) },
        one("watch.recursive", "whether folders inside an inbox are watched too") {
            $0.watch.isRecursive = try boolean($1)
        },
        one("watch.stability_delay", "how long a file must stand still before it is read") {
            $0.watch.stabilityDelay = try duration($1)
        },
        one("watch.rescan_interval", "how often every folder is read again") {
            $0.watch.rescanInterval = try duration($1, minimum: .seconds(1))
        },
        list("watch.ignore", "shell patterns of names to ignore") { $0.watch.ignore = $1 },
        list("watch.extensions", "extensions of photographs") { configuration, values in
            configuration.watch.extensions = values.map { String($0.lowercased().trimmingPrefix(".")) }
        },
    ]

    private static let output = [
        one("output.dir", "folder that outputs are written to") { $0.output.directory = try path($1) },
        one("output.template", "name of an output without extension; {stem} is the input's") {
            $0.image.nameTemplate = try template($1)
        },
        one("output.format", "same, tiff, png or jpeg") { $0.image.format = try choice($1) },
        one("output.bit_depth", "8 or 16; the input's if not set") {
            $0.image.bitDepth = try integer($1, in: 8...16, allowed: [8, 16])
        },
    ]

    private static let denoise = [
        one("denoise.preset", "fast, balanced or best") { $0.image.preset = try choice($1) },
        one("denoise.method", "amsnet, plain, zsn2n or dbsn") { $0.image.method = try choice($1) },
        one("denoise.model", "name of a model in the state folder, or a file") { $0.image.model = $1 },
        one("denoise.strength", "0 keeps the photograph, 1 denoises it fully") { $0.image.strength = try fraction($1) },
        one("denoise.tile", "side of a tile in pixels") { $0.image.tile = try integer($1, in: 16...65536) },
        one("denoise.overlap", "pixels shared by neighbouring tiles") {
            $0.image.overlap = try integer($1, in: 0...8192)
        },
        one("denoise.refinements", "copies T of the refinement") {
            $0.image.refinements = try integer($1, in: 0...1024)
        },
        one("denoise.seed", "seed of masks and replacements") { $0.image.seed = try seed($1) },
    ]

    private static let limits = [
        one("limits.threads", "worker threads; every core if not set") {
            $0.image.threads = try integer($1, in: 1...1024)
        },
        one("limits.min_free_space", "bytes that stay free where outputs are written, as 1GiB") {
            $0.limits.minimumFreeSpace = try bytes($1)
        },
    ]

    private static let state = [
        one("state.dir", "folder of ledger, lock and models") { $0.state = try path($1) }
    ]

    private static func one(
        _ name: String, _ summary: String,
        _ apply: @escaping @Sendable (inout Configuration, String) throws -> Void
    ) -> ConfigurationKey {
        ConfigurationKey(name: name, summary: summary, isList: false, separator: ",") { configuration, values in
            guard let value = values.first, values.count == 1 else {
                throw ValueError(cause: "takes one value, not a list", remedy: "give a single value")
            }
            try apply(&configuration, value)
        }
    }

    private static func list(
        _ name: String, _ summary: String, separator: Character = ",",
        _ apply: @escaping @Sendable (inout Configuration, [String]) throws -> Void
    ) -> ConfigurationKey {
        ConfigurationKey(name: name, summary: summary, isList: true, separator: separator, apply: apply)
    }
}
