import ArgumentParser
import DenoiseService
import SystemPackage

/// `denoised config`: what the configuration says, and where.
struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Check the configuration, list its keys, show its values.",
        subcommands: [Check.self, Defaults.self, Show.self])

    /// `denoised config check`.
    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check the configuration: every key, every value, and how they go together.")

        @OptionGroup var location: StateOptions

        @Flag(help: "One JSON document.")
        var json = false

        func run() async throws {
            try await reportingFailure {
                do {
                    let loaded = try location.loaded()
                    try loaded.values.validate()
                    let file = loaded.file?.string
                    print(json ? Self.document(file, nil) : printable("\(file ?? "no file, the defaults"): valid"))
                } catch {
                    if json { print(Self.document(location.config.map(absolute), "\(error)")) }
                    throw error
                }
            }
        }

        private static func document(_ file: String?, _ error: String?) -> String {
            JSONText.object([
                ("valid", .boolean(error == nil)), ("file", .optional(file)), ("error", .optional(error)),
            ]).line
        }
    }

    /// `denoised config defaults`.
    struct Defaults: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print every key with its meaning and default, as a configuration file.")

        @Flag(help: "One JSON object a line.")
        var json = false

        func run() async throws {
            let defaults = Configuration()
            var section: Substring = ""
            for key in ConfigurationKey.all {
                let values = key.values(in: defaults)
                if json {
                    print(
                        JSONText.object([
                            ("key", .text(key.name)), ("default", value(key, values)), ("summary", .text(key.summary)),
                            ("environment", .text(key.environmentName)),
                        ]).line)
                    continue
                }
                if key.section != section {
                    print("\(section.isEmpty ? "" : "\n")\(key.section):")
                    section = key.section
                }
                let text = Self.yaml(key, values)
                print(
                    "  # \(key.summary)\n  # \(key.name.dropFirst(section.count + 1)):\(text.isEmpty ? "" : " \(text)")"
                )
            }
        }

        private static func yaml(_ key: ConfigurationKey, _ values: [String]?) -> String {
            let texts = (values ?? []).map { $0.contains { "{}[],:#*&!|>'\"%@` ".contains($0) } ? "\"\($0)\"" : $0 }
            return key.isList ? "[\(texts.joined(separator: ", "))]" : texts.first ?? ""
        }
    }

    /// `denoised config show`.
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print every value that holds, and where it was set.")

        @OptionGroup var location: StateOptions

        @Flag(help: "One JSON object a line.")
        var json = false

        func run() async throws {
            try await reportingFailure {
                let loaded = try location.loaded()
                var table = Table(columns: [.init(title: "KEY"), .init(title: "ORIGIN"), .init(title: "VALUE")])
                for key in ConfigurationKey.all {
                    let values = key.values(in: loaded.values)
                    let origin = loaded.origins[key.name].map { "\($0)" } ?? "default"
                    if json {
                        print(
                            JSONText.object([
                                ("key", .text(key.name)), ("value", value(key, values)), ("origin", .text(origin)),
                            ]).line)
                    } else {
                        table.rows.append([key.name, origin, values?.joined(separator: ", ") ?? "-"])
                    }
                }
                if !json { for line in table.lines { print(line) } }
            }
        }
    }
}

/// As text, lists as lists of texts, null where nothing is set.
private func value(_ key: ConfigurationKey, _ values: [String]?) -> JSONText {
    guard let values else { return .null }
    return key.isList ? .list(values.map(JSONText.text)) : .optional(values.first)
}
