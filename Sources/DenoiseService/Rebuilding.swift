import Ledger
import Logging
import SystemPackage

/// Tells a ledger that was lost, or restored from a backup, of the outputs that are there: each carries what it was
/// made of. A photograph whose output is whole is then not denoised once more.
public struct Rebuilding {
    let configuration: Configuration
    let ledger: Ledger
    let logger: Logger

    public init(_ configuration: Configuration, ledger: Ledger, logger: Logger) {
        self.configuration = configuration
        self.ledger = ledger
        self.logger = logger
    }

    /// - Returns: how many photographs the ledger did not know.
    /// - Throws: `LedgerError`.
    @discardableResult
    public func run() throws -> Int {
        guard let folder = configuration.output.directory else { return 0 }
        var count = 0
        for path in Self.files(in: folder, depth: 0) {
            guard let provenance = Provenance(of: path) else { continue }
            let photograph = provenance.finished(at: path)
            // Other services may write into the same folder.
            guard configuration.watch.paths.contains(where: { photograph.source.starts(with: $0) }),
                provenance.isTrue(of: path)
            else { continue }
            do {
                if try ledger.adopt(photograph) { count += 1 }
            } catch let error as LedgerError where error.code == .inaccessible {
                // Whoever may write to the folder may write nonsense beside a file; the ledger takes none.
                logger.warning("output passed over", metadata: ["error": "\(error)"])
            }
        }
        if count > 0 { logger.notice("ledger rebuilt from outputs", metadata: ["photographs": "\(count)"]) }
        return count
    }

    /// Files without those in hidden folders, such as what is being staged.
    private static func files(in folder: FilePath, depth: Int) -> [FilePath] {
        let names = (try? folderEntries(of: folder, followingLink: depth == 0)) ?? []
        return names.filter { !$0.string.hasPrefix(".") }.flatMap { name -> [FilePath] in
            let path = folder.appending(name)
            switch (try? FileStatus.of(path))?.kind {
            case .file: return [path]
            case .folder where depth <= InboxScanner.maximumDepth: return files(in: path, depth: depth + 1)
            default: return []
            }
        }
    }
}
