import SystemPackage

/// One key of the configuration: its names, what it means, how text becomes its value and its value text.
public struct ConfigurationKey: Sendable {
    /// As in the file: "watch.stability_delay".
    public let name: String
    /// One line for `config defaults`.
    public let summary: String
    /// Whether the key takes several values; in the environment they are separated by `separator`.
    public let isList: Bool
    let separator: Character
    let apply: @Sendable (inout Configuration, [String]) throws -> Void
    /// The value as it would be written; nil if it is not set and has no default.
    let texts: @Sendable (Configuration) -> [String]?

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

    /// The value in `configuration` as the file would have it; nil where nothing is set.
    public func values(in configuration: Configuration) -> [String]? { texts(configuration) }

    /// The values of an environment variable or flag.
    public func split(_ text: String, at separator: Character? = nil) -> [String] {
        isList ? text.split(separator: separator ?? self.separator).map(String.init) : [text]
    }

    /// Every key, in the order of the product page.
    public static let all: [ConfigurationKey] =
        watch + output + denoise + finetune + limits + hooks + history + decoder
        + state

    /// A key with one value.
    ///
    /// - Parameters:
    ///   - value: where it is kept.
    ///   - parse: throws `ValueError`.
    static func one<Value>(
        _ name: String, _ summary: String, _ value: any WritableKeyPath<Configuration, Value> & Sendable,
        _ parse: @escaping @Sendable (String) throws -> Value,
        text: @escaping @Sendable (Value) -> String? = { "\($0)" }
    ) -> ConfigurationKey {
        ConfigurationKey(
            name: name, summary: summary, isList: false, separator: ",",
            apply: { configuration, values in
                guard let text = values.first, values.count == 1 else {
                    throw ValueError(cause: "takes one value, not a list", remedy: "give a single value")
                }
                configuration[keyPath: value] = try parse(text)
            },
            texts: { configuration in text(configuration[keyPath: value]).map { [$0] } })
    }

    /// A key whose value may be missing.
    static func one<Value>(
        _ name: String, _ summary: String, _ value: any WritableKeyPath<Configuration, Value?> & Sendable,
        _ parse: @escaping @Sendable (String) throws -> Value,
        text: @escaping @Sendable (Value) -> String = { "\($0)" }
    ) -> ConfigurationKey {
        one(name, summary, value, { try parse($0) }, text: { (value: Value?) in value.map(text) })
    }

    static func list<Value>(
        _ name: String, _ summary: String, separator: Character = ",",
        _ value: any WritableKeyPath<Configuration, [Value]> & Sendable,
        _ parse: @escaping @Sendable (String) throws -> Value,
        text: @escaping @Sendable (Value) -> String = { "\($0)" }
    ) -> ConfigurationKey {
        ConfigurationKey(
            name: name, summary: summary, isList: true, separator: separator,
            apply: { $0[keyPath: value] = try $1.map(parse) },
            texts: { $0[keyPath: value].map(text) })
    }
}
