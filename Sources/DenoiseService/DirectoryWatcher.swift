import Foundation
import SystemPackage

/// Tells what happens in folders.
protocol FolderWatching: AnyObject {
    /// Watches a folder; watching it again only renews its name.
    ///
    /// - Returns: true if the folder was not watched yet under this name.
    /// - Throws: `ServiceError` if no more folders can be watched. A folder that vanished is no error.
    func watch(_ folder: FilePath) throws -> Bool
    /// Waits until something happened, `wakeUp` is rung or the time is over.
    func wait(atMost time: Duration, wakeUp: WakeUp) -> [DirectoryWatcher.Event]
    /// Everything that has been reported and not been read yet.
    func read() -> [DirectoryWatcher.Event]
}

/// Tells what happens in folders, through inotify. Raw event records stay in this file.
///
/// Only a finished write or a rename into a folder is asked for (and new folders, if wanted): the kernel's queue is
/// short, and every other kind of event brings its overflow nearer.
final class DirectoryWatcher: FolderWatching {
    enum Event: Equatable {
        /// A file was written and closed, or renamed to this name.
        case file(FilePath)
        /// A folder appeared.
        case folder(FilePath)
        /// A watched folder was deleted or its file system unmounted.
        case gone(FilePath)
        /// Events were lost or names are outdated: everything must be read again.
        case outdated
    }

    private let queue: FileDescriptor
    private let mask: UInt32
    private var folders: [Int32: FilePath] = [:]

    /// - Throws: `ServiceError` if the kernel grants no more watch queues.
    init(watchingFolders: Bool) throws {
        let number = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
        guard number >= 0 else { throw Self.refused("inotify", Errno(rawValue: errno)) }
        queue = FileDescriptor(rawValue: number)
        let always = UInt32(IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVE_SELF | IN_ONLYDIR | IN_EXCL_UNLINK)
        mask = always | (watchingFolders ? UInt32(IN_CREATE) : 0)
    }

    deinit { try? queue.close() }

    func watch(_ folder: FilePath) throws -> Bool {
        let number = folder.withPlatformString { inotify_add_watch(queue.rawValue, $0, mask) }
        guard number >= 0 else {
            let reason = Errno(rawValue: errno)
            if reason == .noSpace || reason == .tooManyOpenFiles || reason == .noMemory {
                throw Self.refused(folder.string, reason)
            }
            return false
        }
        return folders.updateValue(folder, forKey: number) != folder
    }

    func wait(atMost time: Duration, wakeUp: WakeUp) -> [Event] {
        var sources = [
            pollfd(fd: queue.rawValue, events: Int16(POLLIN), revents: 0),
            pollfd(fd: wakeUp.reader.rawValue, events: Int16(POLLIN), revents: 0),
        ]
        _ = poll(&sources, nfds_t(sources.count), Self.milliseconds(time))
        return read()
    }

    /// For poll(2): rounded up, so that what is due is due; at most an hour.
    static func milliseconds(_ time: Duration) -> Int32 {
        Int32(min(max(time / .milliseconds(1), 0), 3_600_000).rounded(.up))
    }

    func read() -> [Event] {
        var events: [Event] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = buffer.withUnsafeMutableBytes { (try? queue.read(into: $0)) ?? 0 }
            guard count > 0 else { return events }
            buffer.withUnsafeBytes { bytes in
                var offset = 0
                let header = MemoryLayout<inotify_event>.size
                while offset + header <= count {
                    let record = bytes.loadUnaligned(fromByteOffset: offset, as: inotify_event.self)
                    let name = UnsafeRawBufferPointer(rebasing: bytes[(offset + header)...].prefix(Int(record.len)))
                    if let event = translate(record, name) { events.append(event) }
                    offset += header + Int(record.len)
                }
            }
        }
    }

    private func translate(_ record: inotify_event, _ name: UnsafeRawBufferPointer) -> Event? {
        let kind = record.mask
        if kind & UInt32(IN_Q_OVERFLOW | IN_MOVE_SELF) != 0 { return .outdated }
        if kind & UInt32(IN_IGNORED) != 0 { return folders.removeValue(forKey: record.wd).map { .gone($0) } }
        // The kernel pads names with zeros; the padding is at least one byte.
        guard let folder = folders[record.wd], name.contains(0), let base = name.baseAddress,
            let component = FilePath.Component(
                platformString: base.assumingMemoryBound(to: CInterop.PlatformChar.self))
        else { return nil }
        let path = folder.appending(component)
        if kind & UInt32(IN_ISDIR) != 0 { return .folder(path) }
        return kind & UInt32(IN_CLOSE_WRITE | IN_MOVED_TO) != 0 ? .file(path) : nil
    }

    private static func refused(_ subject: String, _ reason: Errno) -> ServiceError {
        ServiceError(
            .watchFailed, subject: subject, cause: "the kernel watches no more folders (\(reason))",
            remedy: "raise fs.inotify.max_user_watches and max_user_instances; until then folders are read periodically"
        )
    }
}
