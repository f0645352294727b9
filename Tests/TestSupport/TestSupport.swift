import Foundation
import Synchronization

/// Files that tests read, found beside the sources.
public enum Fixtures {
    public static func url(_ path: String, file: String = #filePath) -> URL {
        URL(filePath: file).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures/\(path)")
    }

    public static func data(_ path: String, file: String = #filePath) throws -> Data {
        try Data(contentsOf: url(path, file: file))
    }
}

/// Runs `body` with a folder of its own that is removed afterwards.
public func withTemporaryFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appending(path: "denoised-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
}

/// Folders that disappear with the test process.
///
/// Not with their owner: Swift may release an object after its last use, while a ledger or a program still works in the
/// folder that it names.
public enum TemporaryFolder {
    private static let made = Mutex<[URL]>([])

    /// Creates a folder of its own; `parent` is for paths that must be short.
    public static func make(_ prefix: String, in parent: URL = FileManager.default.temporaryDirectory) throws -> URL {
        let folder = parent.appending(path: "\(prefix)-\(UUID().uuidString.prefix(13))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        made.withLock { folders in
            if folders.isEmpty { atexit { TemporaryFolder.removeAll() } }
            folders.append(folder)
        }
        return folder
    }

    private static func removeAll() {
        for folder in made.withLock({ $0 }) { try? FileManager.default.removeItem(at: folder) }
    }
}
