import Foundation
import SystemPackage

/// The check that a large ledger gets once a week, and a small one at every start too. When it was made last is the
/// time of an empty file beside the ledger, so that restarts neither skip nor repeat it; without the file, the next
/// start makes it.
extension Ledger {
    private static let checkedName: FilePath.Component = "ledger.checked"
    private static let checkInterval: TimeInterval = 7 * 86400

    /// Whether the last thorough check is a week old; one of the future counts as none.
    public static func isThoroughCheckDue(in folder: FilePath, at moment: Date) -> Bool {
        let attributes = try? FileManager.default.attributesOfItem(atPath: folder.appending(checkedName).string)
        guard let checked = attributes?[.modificationDate] as? Date else { return true }
        return !(0..<checkInterval).contains(moment.timeIntervalSince(checked))
    }

    /// Whether the thorough check takes so little time, some tenths of a second, that every start can make it.
    static func isSmall(_ folder: FilePath) -> Bool {
        let attributes = try? FileManager.default.attributesOfItem(atPath: folder.appending(fileName).string)
        return (attributes?[.size] as? Int ?? 0) <= 32 << 20
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
        let mark = folder.appending(Self.checkedName)
        // Where it cannot be written, the check is made once more than need be. Made in place: an atomic write would
        // leave its temporary file behind if it was interrupted.
        try? FileDescriptor.open(
            mark, .writeOnly, options: [.create, .closeOnExec, .noFollow], permissions: .ownerReadWrite
        ).close()
        try? FileManager.default.setAttributes([.modificationDate: now()], ofItemAtPath: mark.string)
    }

    /// The next start checks thoroughly.
    public static func doubt(in folder: FilePath) {
        _ = folder.appending(checkedName).withPlatformString { unlink($0) }
    }
}
