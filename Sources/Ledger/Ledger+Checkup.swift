import Foundation
import SystemPackage

/// The weekly check. When it was made last is the time of an empty file beside the ledger, so that restarts neither skip
/// nor repeat it; without the file, the next start makes it.
extension Ledger {
    private static let checkedName: FilePath.Component = "ledger.checked"
    private static let checkInterval: TimeInterval = 7 * 86400

    /// Whether the last thorough check is a week old; one of the future counts as none.
    public static func isThoroughCheckDue(in folder: FilePath, at moment: Date) -> Bool {
        let attributes = try? FileManager.default.attributesOfItem(atPath: folder.appending(checkedName).string)
        guard let checked = attributes?[.modificationDate] as? Date else { return true }
        return !(0..<checkInterval).contains(moment.timeIntervalSince(checked))
    }

    /// As `check`, thoroughly, and remembers the moment if all is well, or that the ledger is in doubt.
    ///
    /// - Throws: `LedgerError` with the code `corrupt`, naming the first contradiction.
    public func checkThoroughly() throws {
        let folder = path.removingLastComponent()
        do {
            try check(isThorough: true)
        } catch {
            Self.doubt(in: folder)
            throw error
        }
        let mark = folder.appending(Self.checkedName).string
        // Where it cannot be written, the check is made once more than need be.
        _ = FileManager.default.createFile(atPath: mark, contents: nil, attributes: [.posixPermissions: 0o600])
        try? FileManager.default.setAttributes([.modificationDate: now()], ofItemAtPath: mark)
    }

    /// The next start checks thoroughly.
    public static func doubt(in folder: FilePath) {
        _ = folder.appending(checkedName).withPlatformString { unlink($0) }
    }
}
