import Glibc
import SystemPackage

/// Names are bytes, valid UTF-8 or not, and are kept as they are.
extension FilePath.Component {
    /// - Returns: nil for bytes that cannot be a file's name.
    init?(bytes: [UInt8]) {
        let component = (bytes.map { CInterop.PlatformChar(truncatingIfNeeded: $0) } + [0]).withUnsafeBufferPointer {
            $0.baseAddress.flatMap { FilePath.Component(platformString: $0) }
        }
        guard let component else { return nil }
        self = component
    }

    var bytes: [UInt8] {
        withPlatformString { text in UnsafeRawBufferPointer(start: text, count: strlen(text)).map { $0 } }
    }

    /// The name without its last extension; a leading dot starts no extension.
    var bytesOfStem: [UInt8] {
        let name = bytes
        guard let dot = name.dropFirst().lastIndex(of: UInt8(ascii: ".")) else { return name }
        return Array(name[..<dot])
    }
}
