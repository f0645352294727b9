import Foundation
import SystemPackage

/// The folders that are used when none is named.
public enum StateFolder {
    /// `STATE_DIRECTORY` as systemd sets it, `/var/lib/denoised` for root, the XDG state folder otherwise.
    public static func standard(
        environment: [String: String] = ProcessInfo.processInfo.environment, isRoot: Bool = geteuid() == 0
    ) -> FilePath {
        if let first = environment["STATE_DIRECTORY"]?.split(separator: ":").first { return FilePath(String(first)) }
        if isRoot { return "/var/lib/denoised" }
        return userFolder("XDG_STATE_HOME", otherwise: ".local/state", environment).appending("denoised")
    }

    /// Where a configuration file is looked for, in this order.
    public static func configurationFiles(
        environment: [String: String] = ProcessInfo.processInfo.environment, isRoot: Bool = geteuid() == 0
    ) -> [FilePath] {
        let system: FilePath = "/etc/denoised/denoised.yaml"
        if isRoot { return [system] }
        return [
            userFolder("XDG_CONFIG_HOME", otherwise: ".config", environment).appending("denoised/denoised.yaml"),
            system,
        ]
    }

    private static func userFolder(
        _ variable: String, otherwise folder: String, _ environment: [String: String]
    ) -> FilePath {
        if let path = environment[variable], path.hasPrefix("/") { return FilePath(path) }
        return FilePath(environment["HOME"] ?? "/").appending(folder)
    }
}
