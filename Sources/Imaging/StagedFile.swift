import CImageShims
import Glibc
import SystemPackage

/// An output that appears under its name complete and durable, or not at all.
///
/// The bytes go to a hidden temporary in the same folder (".NAME.xxxxxxxx.part"). `finish` syncs it, renames it without
/// ever replacing a file, and syncs the folder; `replace` takes the place of an older file. A staged file that is
/// dropped removes its temporary.
public struct StagedFile: ~Copyable {
    /// The name that the file is to have.
    public let destination: FilePath
    /// Open for reading and writing; owned by this value.
    public let descriptor: FileDescriptor
    private let folder: FileDescriptor
    private let temporary: FilePath
    private var isOpen = true
    private var isPublished = false

    /// Creates the temporary beside `destination`, whose folder must exist.
    public init(_ destination: FilePath) throws(ImagingError) {
        let opened: (folder: FileDescriptor, temporary: FilePath, descriptor: FileDescriptor)
        do {
            opened = try Self.open(beside: destination)
        } catch {
            throw ImagingError(writing: ImagingError.display(destination), error as? Errno ?? .ioError)
        }
        self.destination = destination
        folder = opened.folder
        temporary = opened.temporary
        descriptor = opened.descriptor
    }

    deinit {
        if isOpen { try? descriptor.close() }
        if !isPublished { Self.remove(temporary, from: folder) }
        try? folder.close()
    }

    /// Appends bytes.
    public func write(_ bytes: [UInt8]) throws(ImagingError) {
        do {
            _ = try descriptor.writeAll(bytes)
        } catch {
            throw failure(error)
        }
    }

    /// Hands out what was written, block by block from the start, for hashing or checking.
    public func readBack(_ body: (UnsafeRawBufferPointer) -> Void) throws(ImagingError) {
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { block.deallocate() }
        var offset: Int64 = 0
        do {
            while true {
                let count = try descriptor.read(fromAbsoluteOffset: offset, into: block)
                if count == 0 { return }
                body(UnsafeRawBufferPointer(rebasing: block[..<count]))
                offset += Int64(count)
            }
        } catch {
            throw failure(error)
        }
    }

    /// Publishes the file durably and returns its path.
    ///
    /// - Parameter attempts: with n > 1, a taken name is answered by "NAME-2.EXT" up to "NAME-n.EXT".
    /// - Throws: `alreadyExists` when every name is taken; `writeFailed`, and then no file remains.
    public consuming func finish(attempts: Int = 1) throws(ImagingError) -> FilePath {
        do {
            try sync()
            isOpen = false
            try descriptor.close()
            let published = try publish(attempts: attempts)
            isPublished = true
            do {
                try Self.syncFolder(folder)
            } catch {
                // Not durable means not done: the caller will write it again.
                if let name = published.lastComponent { Self.remove(FilePath(root: nil, [name]), from: folder) }
                throw error
            }
            return published
        } catch {
            throw failure(error)
        }
    }

    /// Durably takes the place of an older file of the name, if there is one: a crash leaves the old bytes or the new
    /// ones. For models, checkpoints and logs; photographs are never replaced.
    ///
    /// - Throws: `writeFailed`; then the older file may be gone only if the folder could not be synced.
    public consuming func replace() throws(ImagingError) {
        do {
            try sync()
            isOpen = false
            try descriptor.close()
            let name = FilePath(root: nil, [destination.lastComponent].compactMap { $0 })
            let result = temporary.withPlatformString { old in
                name.withPlatformString { renameat(folder.rawValue, old, folder.rawValue, $0) }
            }
            guard result == 0 else { throw Errno(rawValue: errno) }
            isPublished = true
            try Self.syncFolder(folder)
        } catch {
            throw failure(error)
        }
    }

    /// The same for bytes that are all there.
    public static func replace(_ path: FilePath, with bytes: some Sequence<UInt8>) throws(ImagingError) {
        let file = try StagedFile(path)
        try file.write(Array(bytes))
        try file.replace()
    }

    /// Renames to the first free name.
    private func publish(attempts: Int) throws -> FilePath {
        var number = 1
        while true {
            let path = Self.numbered(destination, number)
            let name = FilePath(root: nil, [path.lastComponent].compactMap { $0 })
            let result = temporary.withPlatformString { old in
                name.withPlatformString { shim_rename_without_replacing(folder.rawValue, old, $0) }
            }
            if result == 0 { return path }
            let error = Errno(rawValue: errno)
            guard error == .fileExists, number < attempts else { throw error }
            number += 1
        }
    }

    private func sync() throws {
        guard fsync(descriptor.rawValue) == 0 else { throw Errno(rawValue: errno) }
    }

    private func failure(_ error: any Error) -> ImagingError {
        let file = ImagingError.display(destination)
        guard let errno = error as? Errno, errno == .fileExists else {
            return ImagingError(writing: file, error as? Errno ?? .ioError)
        }
        return ImagingError(
            .alreadyExists, .write, file: file, cause: "a file of that name exists",
            remedy: "choose another name or remove it", errno: errno)
    }
}

extension StagedFile {
    /// "photo.tif" for 1, "photo-2.tif" for 2. The bytes of the name are kept, valid UTF-8 or not.
    public static func numbered(_ path: FilePath, _ number: Int) -> FilePath {
        guard number > 1, let name = path.lastComponent else { return path }
        let bytes = Self.bytes(of: name)
        // A leading dot hides a file and starts no extension.
        let dot = bytes.dropFirst().lastIndex(of: UInt8(ascii: ".")) ?? bytes.endIndex
        return path.removingLastComponent().appending(
            Self.path(bytes[..<dot] + Array("-\(number)".utf8) + bytes[dot...]).components)
    }

    /// ".NAME.xxxxxxxx.part", where a long name is replaced by its hash so that the whole fits 255 bytes.
    static func temporaryName(for name: FilePath.Component) -> FilePath {
        var stem = Self.bytes(of: name)
        if stem.count > 160 {
            // FNV-1a, 64 bits.
            let hash = stem.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
            stem = Array(String(hash, radix: 16).utf8)
        }
        let unique = String(UInt32.random(in: 0x1000_0000...UInt32.max), radix: 16)
        return path(Array(".".utf8) + stem + Array(".\(unique).part".utf8))
    }

    private static func bytes(of name: FilePath.Component) -> [UInt8] {
        name.withPlatformString { text in
            UnsafeRawBufferPointer(start: text, count: strlen(text)).map { $0 }
        }
    }

    private static func path(_ bytes: [UInt8]) -> FilePath {
        (bytes + [0]).withUnsafeBytes { block in
            guard let text = block.bindMemory(to: CInterop.PlatformChar.self).baseAddress else { return FilePath() }
            return FilePath(platformString: text)
        }
    }

    private static func open(
        beside destination: FilePath
    ) throws -> (folder: FileDescriptor, temporary: FilePath, descriptor: FileDescriptor) {
        guard let name = destination.lastComponent, name.kind == .regular else { throw Errno.isDirectory }
        let parent = destination.removingLastComponent()
        let folder = try FileDescriptor.open(
            parent.isEmpty ? "." : parent, .readOnly, options: [.directory, .closeOnExec])
        let temporary = temporaryName(for: name)
        do {
            return (folder, temporary, try create(temporary, in: folder))
        } catch {
            try? folder.close()
            throw error
        }
    }

    private static func create(_ name: FilePath, in folder: FileDescriptor) throws -> FileDescriptor {
        let flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let raw = name.withPlatformString { openat(folder.rawValue, $0, flags, 0o666) }
        guard raw >= 0 else { throw Errno(rawValue: errno) }
        return FileDescriptor(rawValue: raw)
    }

    private static func remove(_ name: FilePath, from folder: FileDescriptor) {
        _ = name.withPlatformString { unlinkat(folder.rawValue, $0, 0) }
    }

    /// Network file systems that cannot sync a folder say so by EINVAL or ENOTSUP; every other error counts.
    private static func syncFolder(_ folder: FileDescriptor) throws {
        guard fsync(folder.rawValue) != 0 else { return }
        let error = Errno(rawValue: errno)
        guard error == .invalidArgument || error == .notSupported else { throw error }
    }
}
