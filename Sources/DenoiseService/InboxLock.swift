import Foundation
import Ledger
import Synchronization
import SystemPackage

/// The right to take photographs from inboxes: two daemons with states of their own would denoise everything twice.
///
/// A local inbox is locked by flock(2) on the folder itself, so that nothing is written into it and the lock ends with
/// its process. On a network share other machines have to see it: there it is a hidden file that names its owner.
final class InboxLocks: Sendable {
    private let held = Mutex<[FilePath: Hold]>([:])
    private let isShared: @Sendable (FilePath) -> Bool
    private let wallClock: @Sendable () -> Date

    private enum Hold: Sendable {
        case folder(FileDescriptor)
        case file(FilePath)
        /// The share cannot be written, so that nothing keeps others away.
        case none
    }

    /// - Parameter isShared: whether other machines may watch an inbox.
    init(
        isShared: @escaping @Sendable (FilePath) -> Bool = { MountTable.current().kind(of: $0).isNetwork },
        wallClock: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.isShared = isShared
        self.wallClock = wallClock
    }

    deinit {
        for hold in held.withLock({ $0 }).values { Self.release(hold) }
    }

    /// Locks `inbox` unless this process has done so; on a share it shows that this process is alive.
    ///
    /// - Throws: `ServiceError`: `locked` with process and machine of the other, `inaccessible` if there is no inbox.
    func take(_ inbox: FilePath) throws {
        try held.withLock { held in
            switch held[inbox] {
            case .folder?, Hold.none?: return
            case .file(let path)?: try InboxLockFile.renew(path, at: wallClock())
            case nil: held[inbox] = isShared(inbox) ? try file(inbox) : try folder(inbox)
            }
        }
    }

    /// Gives up `inbox`, so that a share can be unmounted.
    func release(_ inbox: FilePath) {
        if let hold = held.withLock({ $0.removeValue(forKey: inbox) }) { Self.release(hold) }
    }

    private static func release(_ hold: Hold) {
        switch hold {
        case .folder(let descriptor): try? descriptor.close()
        case .file(let path): _ = path.withPlatformString { unlink($0) }
        case .none: break
        }
    }

    private func folder(_ inbox: FilePath) throws -> Hold {
        let descriptor: FileDescriptor
        do {
            descriptor = try FileDescriptor.open(inbox, .readOnly, options: [.directory, .closeOnExec])
        } catch let number as Errno {
            throw ServiceError.inaccessible(inbox, "open the inbox", number)
        }
        guard flock(descriptor.rawValue, LOCK_EX | LOCK_NB) == 0 else {
            let reason = Errno(rawValue: errno)
            let inode = (try? FileStatus.of(descriptor))?.identity.inode
            try? descriptor.close()
            // File systems without locks on folders say so with other numbers.
            guard reason == .wouldBlock else { return .none }
            throw InboxLockFile.refusal(inbox, process: inode.flatMap(Self.holder), machine: InboxLockFile.machine)
        }
        return .folder(descriptor)
    }

    private func file(_ inbox: FilePath) throws -> Hold {
        let path = inbox.appending(InboxLockFile.name)
        do {
            try InboxLockFile.create(path, inbox: inbox, at: wallClock())
            return .file(path)
        } catch let number as Errno where number == .readOnlyFileSystem || number == .permissionDenied {
            return .none
        } catch let number as Errno {
            throw ServiceError.inaccessible(inbox, "lock the inbox", number)
        }
    }

    /// The process that holds a lock on the file with this number, by /proc/locks.
    private static func holder(_ inode: UInt64) -> Int32? {
        let text = FileManager.default.contents(atPath: "/proc/locks").map { String(decoding: $0, as: UTF8.self) } ?? ""
        for line in text.split(separator: "\n") {
            // "2: FLOCK  ADVISORY  WRITE 3131 fe:00:16220274 0 EOF"
            let fields = line.split(separator: " ")
            guard fields.count >= 6, fields[1] == "FLOCK", fields[5].split(separator: ":").last == "\(inode)" else {
                continue
            }
            return Int32(fields[4]).flatMap { $0 > 0 ? $0 : nil }
        }
        return nil
    }
}

/// The lock of an inbox on a network share: who holds it, where, and since which start of that machine.
struct InboxLockFile: Codable, Sendable, Equatable {
    var process: Int32
    var machine: String
    /// Tells one start of a machine from the next; process numbers begin again.
    var boot: String
    /// Tells processes apart that had the same number, as the first of a container always has.
    var token: String

    static let name: FilePath.Component = ".denoised.lock"
    /// The lock of another machine that was not renewed for so long is nobody's.
    static let patience: TimeInterval = 30 * 60

    static let machine = ProcessInfo.processInfo.hostName
    static let ownBoot =
        FileManager.default.contents(atPath: "/proc/sys/kernel/random/boot_id")
        .map { String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines) } ?? ""

    static let own = InboxLockFile(
        process: getpid(), machine: machine, boot: ownBoot, token: UUID().uuidString)

    /// - Throws: `ServiceError` with the code `locked`, or `Errno`.
    static func create(_ path: FilePath, inbox: FilePath, at moment: Date) throws {
        for _ in 0..<2 {
            do {
                let file = try FileDescriptor.open(
                    path, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec, .noFollow],
                    permissions: [.ownerReadWrite, .groupRead, .otherRead])
                _ = try file.closeAfter { try file.writeAll(try JSONEncoder().encode(own)) }
                return
            } catch Errno.fileExists {
                let holder = read(path)
                guard isStale(holder, path, at: moment) else {
                    throw refusal(inbox, process: holder?.process, machine: holder?.machine ?? "another machine")
                }
                _ = path.withPlatformString { unlink($0) }
            }
        }
        throw refusal(inbox, process: nil, machine: "another machine")
    }

    /// Shows other machines that the lock is alive.
    static func renew(_ path: FilePath, at moment: Date) throws {
        guard read(path) == own else { return try create(path, inbox: path.removingLastComponent(), at: moment) }
        try? FileManager.default.setAttributes([.modificationDate: moment], ofItemAtPath: path.string)
    }

    static func read(_ path: FilePath) -> InboxLockFile? {
        FileManager.default.contents(atPath: path.string).flatMap { try? JSONDecoder().decode(Self.self, from: $0) }
    }

    private static func isStale(_ holder: InboxLockFile?, _ path: FilePath, at moment: Date) -> Bool {
        if let holder, holder.machine == machine {
            // Whoever had this process's number before is gone.
            if holder.process == getpid() { return holder.token != own.token }
            let isAlive = kill(holder.process, 0) == 0 || errno == EPERM
            return holder.boot != ownBoot || !isAlive
        }
        let modified = (try? FileStatus.of(path))?.identity.modified ?? 0
        return moment.timeIntervalSince1970 - Double(modified) / 1e9 > patience
    }

    static func refusal(_ inbox: FilePath, process: Int32?, machine: String) -> ServiceError {
        ServiceError(
            .locked, subject: inbox.string,
            cause:
                "another denoised\(process.map { ", process \($0)" } ?? "") on \(machine) takes photographs from this inbox",
            remedy: "stop it, or name another inbox")
    }
}
