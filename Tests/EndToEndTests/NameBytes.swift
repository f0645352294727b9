import Foundation
import Glibc
import SystemPackage
import Testing

/// Names in a folder as bytes, since Swift calls strings equal that are two names to the file system.
func folderNames(_ folder: String) throws -> [[UInt8]] {
    let stream = try #require(opendir(folder))
    defer { closedir(stream) }
    var names: [[UInt8]] = []
    while let entry = readdir(stream) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
        if name.first != UInt8(ascii: ".") { names.append(name) }
    }
    return names
}

/// Moves a file to a name that need not be text.
func rename(_ file: String, into folder: String, _ name: [UInt8]) throws {
    let target = Array("\(folder)/".utf8) + name + [0]
    let status = target.withUnsafeBytes { bytes in
        bytes.withMemoryRebound(to: CInterop.PlatformChar.self) { text in
            text.baseAddress.map { Glibc.rename(file, $0) }
        }
    }
    try #require(status == 0)
}
