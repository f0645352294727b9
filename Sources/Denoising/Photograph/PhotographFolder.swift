import Glibc
import SystemPackage

/// Files of a folder that a person named.
public enum PhotographFolder {
    /// Regular files and links to them, in the order of their names' bytes; hidden ones are left out.
    ///
    /// - Throws: `OptionsError` when the folder cannot be read.
    public static func files(in folder: FilePath) throws(OptionsError) -> [FilePath] {
        guard let stream = folder.withPlatformString({ opendir($0) }) else {
            throw OptionsError(
                description:
                    "cannot read folder \(folder): \(Errno(rawValue: errno)); check that it exists and is readable")
        }
        defer { closedir(stream) }
        var names: [[UInt8]] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if name.first != UInt8(ascii: ".") { names.append(name) }
        }
        return names.sorted { $0.lexicographicallyPrecedes($1) }
            .compactMap { FilePath.Component(bytes: $0).map { folder.appending($0) } }
            .filter { kind(of: $0) == S_IFREG }
    }

    /// Whether `path` is a folder, or a link to one.
    public static func exists(at path: FilePath) -> Bool { kind(of: path) == S_IFDIR }

    /// The type bits of what `path` leads to; nil if it leads nowhere.
    private static func kind(of path: FilePath) -> mode_t? {
        var status = stat()
        guard path.withPlatformString({ stat($0, &status) }) == 0 else { return nil }
        return status.st_mode & S_IFMT
    }
}
