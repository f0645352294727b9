import Foundation
import SystemPackage
import Yams

/// A configuration and where each of its values comes from.
public struct LoadedConfiguration: Sendable {
    public var values: Configuration
    /// By key name; keys that are absent have their default.
    public var origins: [String: ConfigurationOrigin]
    /// The file that was read; nil if there was none.
    public var file: FilePath?
}

/// Where a value of the configuration was set.
public enum ConfigurationOrigin: Sendable, Equatable, CustomStringConvertible {
    case file(FilePath, line: Int)
    case environment(String)
    case flag(String)

    public var description: String {
        switch self {
        case .file(let path, let line): "\(path.string), line \(line)"
        case .environment(let name): name
        case .flag(let name): name
        }
    }
}

/// A value given on the command line.
public struct ConfigurationFlag: Sendable {
    /// The key it sets, as "watch.path".
    public var key: String
    public var values: [String]
    /// As the user wrote it: "--inbox".
    public var flag: String

    public init(key: String, values: [String], flag: String) {
        self.key = key
        self.values = values
        self.flag = flag
    }
}

/// Puts a configuration together: a flag wins over the environment, the environment over the file, the file over
/// the default. Every mistake is an error that names its place.
public struct ConfigurationLoader: Sendable {
    public var environment: [String: String]
    public var flags: [ConfigurationFlag]

    public init(
        environment: [String: String] = ProcessInfo.processInfo.environment, flags: [ConfigurationFlag] = []
    ) {
        self.environment = environment
        self.flags = flags
    }

    /// - Parameter file: the file that the user named; nil looks in the standard places and may find none.
    /// - Throws: `ServiceError`, `missingConfiguration` if `file` cannot be read, else `badConfiguration`.
    public func load(file: FilePath?) throws -> LoadedConfiguration {
        let standard = StateFolder.configurationFiles(environment: environment)
        let found = file ?? standard.first { $0.withPlatformString { access($0, F_OK) } == 0 }
        var text = ""
        if let found {
            do {
                text = try Self.contents(of: found)
            } catch let number as Errno {
                throw ServiceError(
                    .missingConfiguration, subject: found.string, cause: "the file cannot be read (\(number))",
                    remedy: "check the name given with --config")
            }
        }
        var loaded = try load(text: text, from: found ?? "")
        loaded.file = found
        return loaded
    }

    /// Reads `text` as the file `path` would be read.
    public func load(text: String, from path: FilePath) throws -> LoadedConfiguration {
        var loaded = LoadedConfiguration(values: Configuration(), origins: [:])
        try readFile(text, path, &loaded)
        try readEnvironment(&loaded)
        for flag in flags {
            guard let key = Self.key(flag.key) else { throw Self.unknown(flag.key, at: flag.flag) }
            try set(key, flag.values, .flag(flag.flag), &loaded)
        }
        return loaded
    }

    private func readEnvironment(_ loaded: inout LoadedConfiguration) throws {
        let sections = Set(ConfigurationKey.all.map { "DENOISED_\($0.section.uppercased())_" })
        for (name, value) in environment.sorted(by: { $0.key < $1.key })
        where sections.contains(where: name.hasPrefix) {
            guard let key = ConfigurationKey.all.first(where: { $0.environmentName == name }) else {
                throw Self.unknown(name, at: "environment")
            }
            try set(key, key.split(value), .environment(name), &loaded)
        }
    }

    private func readFile(_ text: String, _ path: FilePath, _ loaded: inout LoadedConfiguration) throws {
        let root: Node?
        do {
            root = try compose(yaml: text)
        } catch let error as YamlError {
            throw Self.unreadable(error, path)
        }
        guard let root, root.null == nil else { return }
        guard let sections = root.mapping else { throw Self.misshapen(root, path, "expected sections, as watch:") }
        for (name, content) in sections {
            let section = name.string ?? ""
            guard ConfigurationKey.all.contains(where: { $0.section == section }) else {
                throw Self.unknown(section, at: Self.place(name, path))
            }
            if content.null != nil { continue }
            guard let keys = content.mapping else {
                throw Self.misshapen(content, path, "\(section) is a section and holds keys")
            }
            for (key, value) in keys {
                let fullName = "\(section).\(key.string ?? "")"
                guard let known = Self.key(fullName) else { throw Self.unknown(fullName, at: Self.place(key, path)) }
                let texts = try Self.texts(value, fullName, path)
                try set(known, texts, .file(path, line: key.mark?.line ?? 0), &loaded)
            }
        }
    }

    private func set(
        _ key: ConfigurationKey, _ values: [String], _ origin: ConfigurationOrigin, _ loaded: inout LoadedConfiguration
    ) throws {
        do {
            try key.apply(&loaded.values, values)
        } catch let error as ConfigurationKey.ValueError {
            throw ServiceError(
                .badConfiguration, subject: "\(origin)", cause: "\(key.name): \(error.cause)", remedy: error.remedy)
        }
        loaded.origins[key.name] = origin
    }
}

extension ConfigurationLoader {
    private static func key(_ name: String) -> ConfigurationKey? {
        ConfigurationKey.all.first { $0.name == name }
    }

    private static func texts(_ value: Node, _ name: String, _ path: FilePath) throws -> [String] {
        switch value {
        case .scalar(let scalar): return [scalar.string]
        case .sequence(let sequence):
            return try sequence.map { item in
                guard let text = item.scalar?.string else {
                    throw misshapen(item, path, "\(name) is a list of plain values")
                }
                return text
            }
        default: throw misshapen(value, path, "\(name) takes a plain value or a list")
        }
    }

    private static func place(_ node: Node, _ path: FilePath) -> String {
        "\(ConfigurationOrigin.file(path, line: node.mark?.line ?? 0))"
    }

    private static func unknown(_ name: String, at place: String) -> ServiceError {
        ServiceError(
            .badConfiguration, subject: place, cause: "unknown key \(name)",
            remedy: "remove it or correct its spelling; `denoised config defaults` lists every key")
    }

    private static func misshapen(_ node: Node, _ path: FilePath, _ cause: String) -> ServiceError {
        ServiceError(
            .badConfiguration, subject: place(node, path), cause: cause,
            remedy: "see the example configuration")
    }

    private static func unreadable(_ error: YamlError, _ path: FilePath) -> ServiceError {
        let (line, problem): (Int, String) =
            switch error {
            case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
                .composer(_, let problem, let mark, _):
                (mark.line, problem)
            case .duplicatedKeysInMapping(let keys, let context):
                (context.mark.line, "the key \(keys.joined(separator: ", ")) appears twice")
            default: (1, "the text is not YAML")
            }
        return ServiceError(
            .badConfiguration, subject: "\(ConfigurationOrigin.file(path, line: line))", cause: problem,
            remedy: "correct the YAML; see the example configuration")
    }

    private static func contents(of path: FilePath) throws -> String {
        let file = try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
        return try file.closeAfter {
            var text: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            // What is longer than 1 MiB is some other file.
            while text.count < 1 << 20 {
                let count = try buffer.withUnsafeMutableBytes { try file.read(into: $0) }
                if count == 0 { break }
                text += buffer.prefix(count)
            }
            return String(decoding: text, as: UTF8.self)
        }
    }
}
