import Foundation
import SystemPackage

/// Which names in an inbox are photographs and which are temporary files or the litter of network storage.
public struct InboxFilter: Sendable {
    /// Why a name is not taken.
    public enum Verdict: Sendable, Equatable {
        case photograph
        /// A copy that is not complete yet, or another program's property; the pattern that matched.
        case ignored(pattern: String)
        case otherExtension
    }

    /// Camera RAW formats, TIFF, PNG and JPEG.
    public static let photographExtensions = [
        "3fr", "arw", "cr2", "cr3", "crw", "dcr", "dng", "erf", "fff", "iiq", "kdc", "mef", "mos", "mrw", "nef", "nrw",
        "orf", "pef", "raf", "raw", "rw2", "rwl", "sr2", "srf", "srw", "x3f", "tif", "tiff", "png", "jpg", "jpeg",
    ]

    /// Names that copying programs and storage systems use for what is not a finished photograph. Every name with a
    /// leading dot is among them: rsync, ProFTPD, Syncthing and the Finder write such names.
    public static let builtInPatterns = [
        ".*", "~syncthing~*", "~$*", "*~", "*.part", "*.filepart", "*.tmp", "*.temp", "*.partial", "*.crdownload",
        "*.download", "*.upload", "*.!sync", "*.!ut", "*.bts", "*.opdownload", "*.unison.tmp", "Thumbs.db",
        "desktop.ini", "@eaDir", "@Recycle", "@Recently-Snapshot", "#recycle", "#snapshot", "$RECYCLE.BIN",
        "lost+found", "System Volume Information",
    ]

    /// As written, and in the lower case that names are compared in.
    private let patterns: [(written: String, lowercase: String)]
    private let extensions: Set<String>

    public init(ignore: [String] = [], extensions: [String] = photographExtensions) {
        self.patterns = (Self.builtInPatterns + ignore).map { ($0, $0.lowercased()) }
        self.extensions = Set(extensions)
    }

    /// Judges the name of a file.
    public func judge(file name: FilePath.Component) -> Verdict {
        if let pattern = match(name) { return .ignored(pattern: pattern) }
        guard let suffix = name.extension, extensions.contains(suffix.lowercased()) else { return .otherExtension }
        return .photograph
    }

    /// Whether the folder `name` inside an inbox is entered.
    public func enters(folder name: FilePath.Component) -> Bool { match(name) == nil }

    private func match(_ name: FilePath.Component) -> String? {
        let lowercase = name.withPlatformString { bytes in
            (0...strlen(bytes)).map { CInterop.PlatformChar(truncatingIfNeeded: tolower(Int32(bytes[$0]))) }
        }
        return patterns.first { fnmatch($0.lowercase, lowercase, 0) == 0 }?.written
    }
}
