import CImageShims
import Glibc
import SystemPackage

/// Room in a file system that nobody else gets while this value lives.
///
/// A file without a name holds it, so that nothing is left behind even by a process that is killed. File systems that
/// know no such files, or cannot reserve, promise nothing, and then a write that fails will tell.
public struct SpaceReservation: ~Copyable {
    private let descriptor: Int32

    /// - Throws: `writeFailed` if there is not so much room for this process now.
    public init(bytes: Int, in folder: FilePath) throws(ImagingError) {
        descriptor = folder.withPlatformString { shim_files_reserve($0, off_t(bytes)) }
        let reason = Errno(rawValue: errno)
        guard descriptor < 0, reason == .noSpace || reason == .diskQuotaExceeded else { return }
        throw ImagingError(
            .writeFailed, .write, file: ImagingError.display(folder),
            cause: "\(reason), the output may need \((bytes >> 20) + 1) MiB",
            remedy: "free some space; the photograph will be tried again", errno: reason)
    }

    /// Gives the room back, as to whoever is about to fill it.
    public consuming func release() {}

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }
}
