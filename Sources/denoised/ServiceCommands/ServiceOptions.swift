import ArgumentParser
import DenoiseService
import Foundation
import Ledger
import SystemPackage

/// Where configuration and state are, for every command that asks the ledger.
struct StateOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("Configuration file.", valueName: "file"))
    var config: String?

    @Option(name: .long, help: ArgumentHelp("State folder: ledger, lock and models.", valueName: "dir"))
    var state: String?

    /// The configuration with these options and `flags` applied.
    func configuration(_ flags: [ConfigurationFlag] = []) throws -> Configuration { try loaded(flags).values }

    /// The same, with the origin of each value.
    func loaded(_ flags: [ConfigurationFlag] = []) throws -> LoadedConfiguration {
        var flags = flags
        if let state { flags.append(ConfigurationFlag(key: "state.dir", values: [absolute(state)], flag: "--state")) }
        return try ConfigurationLoader(flags: flags).load(file: config.map { FilePath(absolute($0)) })
    }

    /// The ledger for questions; a state folder that is named needs no configuration.
    func ledger() throws -> (ledger: Ledger, folder: FilePath) {
        let folder = try folder()
        return (try Ledger.openForReading(in: folder), folder)
    }

    /// The state folder.
    func folder() throws -> FilePath {
        if let state, config == nil { return FilePath(absolute(state)) }
        return try configuration().state
    }
}

/// Inboxes and output folder of the service, in the place of the configuration's.
struct FolderOptions: ParsableArguments {
    @Option(
        name: .long, parsing: .singleValue,
        help: ArgumentHelp("Inbox folder; may be given several times.", valueName: "dir"))
    var inbox: [String] = []

    @Option(help: ArgumentHelp("Folder for outputs.", valueName: "dir"))
    var output: String?

    var flags: [ConfigurationFlag] {
        var flags: [ConfigurationFlag] = []
        if !inbox.isEmpty {
            flags.append(ConfigurationFlag(key: "watch.path", values: inbox.map(absolute), flag: "--inbox"))
        }
        if let output {
            flags.append(ConfigurationFlag(key: "output.dir", values: [absolute(output)], flag: "--output"))
        }
        return flags
    }
}

/// `path` from the root; names on the command line start at the current folder.
func absolute(_ path: String) -> String {
    let path = FilePath(path)
    if path.isAbsolute { return path.lexicallyNormalized().string }
    return FilePath(FileManager.default.currentDirectoryPath).pushing(path).lexicallyNormalized().string
}

/// Image options of the service; each sets the key of the configuration that its help names.
struct ServiceImageOptions: ParsableArguments {
    @Option(help: "fast, balanced or best (denoise.preset).") var preset: String?
    @Option(help: "amsnet, plain, zsn2n or dbsn (denoise.method).") var method: String?
    @Option(help: "Name or file of the model (denoise.model).") var model: String?
    @Option(help: "same, tiff, png or jpeg (output.format).") var format: String?
    @Option(help: "8 or 16 (output.bit_depth).") var bitDepth: String?
    @Option(help: "0 keeps the photograph, 1 denoises it fully (denoise.strength).") var strength: String?
    @Option(help: "copy or skip photographs without noise (denoise.on_clean).") var onClean: String?
    @Option(help: "Side of a tile in pixels (denoise.tile).") var tile: String?
    @Option(help: "Pixels shared by neighbouring tiles (denoise.overlap).") var overlap: String?
    @Option(help: "Copies T of the refinement (denoise.refinements).") var refinements: String?
    @Option(help: "Seed of masks and replacements (denoise.seed).") var seed: String?
    @Option(help: "Worker threads (limits.threads).") var threads: String?
    @Option(help: "Name of outputs, as {stem}-denoised (output.template).") var name: String?

    var flags: [ConfigurationFlag] {
        let options: [(key: String, value: String?, flag: String)] = [
            ("denoise.preset", preset, "--preset"), ("denoise.method", method, "--method"),
            ("denoise.model", model, "--model"), ("output.format", format, "--format"),
            ("output.bit_depth", bitDepth, "--bit-depth"), ("denoise.strength", strength, "--strength"),
            ("denoise.on_clean", onClean, "--on-clean"), ("denoise.tile", tile, "--tile"),
            ("denoise.overlap", overlap, "--overlap"),
            ("denoise.refinements", refinements, "--refinements"), ("denoise.seed", seed, "--seed"),
            ("limits.threads", threads, "--threads"), ("output.template", name, "--name"),
        ]
        return options.compactMap { option in
            option.value.map { ConfigurationFlag(key: option.key, values: [$0], flag: option.flag) }
        }
    }
}
