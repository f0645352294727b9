import Ledger
import SystemPackage

/// What a scan found in an inbox.
struct InboxContents: Sendable {
    var photographs: [(path: FilePath, identity: FileIdentity)] = []
    /// The inbox itself and the folders in it, to be watched.
    var folders: [FilePath] = []
    /// Folders that could not be read, and why.
    var problems: [ServiceError] = []
    /// Links, pipes, sockets and devices, which are never opened.
    var irregular: [FilePath] = []
}

/// Finds the photographs of an inbox. Links are not followed, other file systems and the output folder not entered.
struct InboxScanner: Sendable {
    /// Folders deeper than this below an inbox are not entered.
    static let maximumDepth = 32

    let filter: InboxFilter
    let isRecursive: Bool
    /// Folders that are never entered.
    let excluded: Set<FilePath>

    init(_ configuration: Configuration) {
        filter = InboxFilter(ignore: configuration.watch.ignore, extensions: configuration.watch.extensions)
        isRecursive = configuration.watch.isRecursive
        var excluded = [configuration.output.directory, configuration.state].compactMap { $0 }
        if configuration.watch.onSuccess == .archive {
            excluded += configuration.watch.paths.map { $0.appending(Originals.archive) }
        }
        self.excluded = Set(excluded)
    }

    /// Reads a whole inbox, in the order of names.
    func scan(_ inbox: FilePath) -> InboxContents {
        var contents = InboxContents()
        do {
            let device = try FileStatus.of(inbox, followingLink: true).device
            read(inbox, depth: 0, device: device, isInbox: true, into: &contents)
        } catch {
            contents.problems.append(.inaccessible(inbox, "read the inbox", error))
        }
        return contents
    }

    /// Reads a folder that appeared inside `inbox`.
    func scan(folder: FilePath, in inbox: FilePath) -> InboxContents {
        var contents = InboxContents()
        let depth = folder.components.count - inbox.components.count
        guard isRecursive, enters(folder, below: inbox),
            let device = try? FileStatus.of(inbox, followingLink: true).device,
            let status = try? FileStatus.of(folder), status.kind == .folder, status.device == device
        else { return contents }
        read(folder, depth: depth, device: device, isInbox: false, into: &contents)
        return contents
    }

    /// The photograph at `path`, nil if there is none or it is not one to take.
    func photograph(at path: FilePath) -> FileIdentity? {
        guard let name = path.lastComponent, filter.judge(file: name) == .photograph,
            let status = try? FileStatus.of(path), status.kind == .file
        else { return nil }
        return status.identity
    }

    private func enters(_ folder: FilePath, below inbox: FilePath) -> Bool {
        var step = inbox
        for component in folder.components.dropFirst(inbox.components.count) {
            step.append(component)
            guard filter.enters(folder: component), !excluded.contains(step) else { return false }
        }
        return true
    }

    private func read(
        _ folder: FilePath, depth: Int, device: UInt64, isInbox: Bool, into contents: inout InboxContents
    ) {
        contents.folders.append(folder)
        let names: [FilePath.Component]
        do {
            names = try folderEntries(of: folder, followingLink: isInbox)
        } catch {
            contents.problems.append(.inaccessible(folder, "read the folder", error as? Errno ?? .ioError))
            return
        }
        for name in names {
            let path = folder.appending(name)
            // A name that vanished since the folder was read is simply not there.
            guard let status = try? FileStatus.of(path) else { continue }
            switch status.kind {
            case .file where filter.judge(file: name) == .photograph:
                contents.photographs.append((path, status.identity))
            case .folder where isRecursive && filter.enters(folder: name) && !excluded.contains(path):
                guard status.device == device, depth < Self.maximumDepth else { continue }
                read(path, depth: depth + 1, device: device, isInbox: false, into: &contents)
            case .link, .other:
                // A link to a folder has no extension, so only what copying programs leave behind is not spoken of.
                if filter.enters(folder: name) { contents.irregular.append(path) }
            default: continue
            }
        }
    }
}
