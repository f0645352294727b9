import Foundation
import SystemPackage

extension FilePath {
    /// The path's bytes as the file system has them, which need not be UTF-8.
    var bytes: Data {
        withPlatformString { Data(bytes: $0, count: length) }
    }

    init(bytes: Data) {
        self = (bytes + [0]).withUnsafeBytes { buffer in
            FilePath(platformString: buffer.bindMemory(to: CInterop.PlatformChar.self).baseAddress.unsafelyUnwrapped)
        }
    }
}
