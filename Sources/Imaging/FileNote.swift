import CImageShims
import SystemPackage

/// A few bytes beside a file that are no part of its content and go where it goes on its file system: an extended
/// attribute, "user.denoised". Programs that copy files may leave it behind, and not every file system has such.
public enum FileNote {
    /// What ext4 keeps for all attributes of a file together is one block.
    public static let capacity = 3500

    /// Sets the note of a file that nobody else writes to; false where that is not possible.
    public static func write(_ bytes: [UInt8], to path: FilePath) -> Bool {
        bytes.count <= capacity
            && path.withPlatformString { name in
                bytes.withUnsafeBytes { shim_note_write(name, $0.baseAddress, $0.count) }
            } == 0
    }

    /// The note of a file, whoever wrote it; nil if it has none.
    public static func read(_ path: FilePath) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: capacity)
        let count = path.withPlatformString { name in
            bytes.withUnsafeMutableBytes { shim_note_read(name, $0.baseAddress, $0.count) }
        }
        return count >= 0 ? Array(bytes[..<count]) : nil
    }
}
