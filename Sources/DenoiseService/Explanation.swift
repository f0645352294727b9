import Ledger
import SystemPackage

/// Why a file was, was not or will not be denoised.
public struct Explanation: Sendable, Equatable {
    /// The short answer, stable for scripts.
    public enum Verdict: String, Sendable {
        /// The ledger knows the file; its state says the rest.
        case recorded
        /// The next scan takes it.
        case willBeTaken = "will_be_taken"
        /// It is in an inbox, and a rule excludes it.
        case excluded
        /// It is in no inbox.
        case outside
        /// There is no such file.
        case missing
    }

    public var verdict: Verdict
    /// One sentence for people.
    public var sentence: String
    /// The ledger's row, if it has one.
    public var record: PhotographRecord?

    /// - Parameters:
    ///   - path: absolute.
    ///   - ledger: nil if there is none yet.
    /// - Throws: `LedgerError`.
    public init(_ path: FilePath, configuration: Configuration, ledger: Ledger?) throws {
        let path = path.lexicallyNormalized()
        if let ledger, let sighting = try ledger.sightings(of: [path])[path] {
            let details = try ledger.show(sighting.id)
            let record = details.record
            let status = try? FileStatus.of(path)
            let isNews = status.map { $0.kind == .file && !IntakeLoop.isKnown(sighting, as: $0.identity) } ?? false
            self.init(verdict: .recorded, sentence: Self.sentence(details, hasChanged: isNews), record: record)
            return
        }
        if let rule = Self.rule(path, configuration) {
            self.init(verdict: rule.verdict, sentence: rule.sentence)
        } else {
            self.init(
                verdict: .willBeTaken,
                sentence: "the daemon has not seen it yet; it takes the file once it has stood still for "
                    + ProgressState.readable(Self.delay(path, configuration)))
        }
    }

    private static func delay(_ path: FilePath, _ configuration: Configuration) -> Duration {
        configuration.watch.stabilityDelay(isNetwork: MountTable.current().kind(of: path).isNetwork)
    }

    private init(verdict: Verdict, sentence: String, record: PhotographRecord? = nil) {
        self.verdict = verdict
        self.sentence = sentence
        self.record = record
    }

    private static func sentence(_ details: PhotographDetails, hasChanged: Bool) -> String {
        let record = details.record
        let again = details.retryAt.map { "it is tried again at \($0)" } ?? "`denoised retry \(record.id)` tries again"
        let number = "photograph \(record.id)"
        let reason = record.reason.map { ": \($0)" } ?? ""
        let state =
            switch record.status {
            case .settling: "\(number) may still be written to; it must stand still first"
            case .queued: "\(number) waits in the queue"
            case .running: "\(number) is being denoised"
            case .verifying: "the output of \(number) is being published"
            case .done where record.reason != nil:
                "\(number) became \(record.output ?? "an output")\(reason)"
            case .done: "\(number) was denoised to \(record.output ?? "an output")"
            case .skipped: "\(number) was skipped\(reason)"
            case .duplicate: "\(number) is a duplicate\(reason)"
            case .failed: "\(number) failed\(reason); \(again)"
            case .quarantined: "\(number) is quarantined\(reason); `denoised retry \(record.id)` tries again"
            case .cancelled: "\(number) was given up\(reason)"
            }
        guard hasChanged, record.status.isFinal else { return state }
        return state + "; the file is new since then, and the next scan takes it"
    }

    /// The first rule that keeps the file from being taken.
    private static func rule(
        _ path: FilePath, _ configuration: Configuration
    ) -> (verdict: Verdict, sentence: String)? {
        let inbox = configuration.watch.paths.filter { path.starts(with: $0) && path != $0 }
            .max { $0.length < $1.length }
        guard let inbox else { return (.outside, "it is in none of the inboxes") }
        let status: FileStatus
        do {
            status = try FileStatus.of(path)
        } catch {
            return (
                .missing, error == .noSuchFileOrDirectory ? "there is no such file" : "it cannot be seen (\(error))"
            )
        }
        let scanner = InboxScanner(configuration)
        let inner = path.components.dropFirst(inbox.components.count)
        if inner.count > 1, !scanner.isRecursive { return (.excluded, "watch.recursive is off, and it is in a folder") }
        if inner.count > InboxScanner.maximumDepth + 1 {
            return (.excluded, "it lies more than \(InboxScanner.maximumDepth) folders deep")
        }
        if let sentence = folders(inner.dropLast(), inbox, scanner) { return (.excluded, sentence) }
        switch status.kind {
        case .link: return (.excluded, "it is a symbolic link, and links are not followed")
        case .other: return (.excluded, "it is a pipe, a socket or a device")
        case .folder: return (.excluded, "it is a folder; only files are photographs")
        case .file: break
        }
        guard let name = path.lastComponent else { return (.outside, "it is in none of the inboxes") }
        switch scanner.filter.judge(file: name) {
        case .ignored(let pattern): return (.excluded, "its name matches the ignored pattern \(pattern)")
        case .otherExtension: return (.excluded, "its extension is not in watch.extensions")
        case .photograph: return nil
        }
    }

    private static func folders(
        _ names: some Sequence<FilePath.Component>, _ inbox: FilePath, _ scanner: InboxScanner
    ) -> String? {
        var folder = inbox
        let device = try? FileStatus.of(inbox, followingLink: true).device
        for name in names {
            folder.append(name)
            let status = try? FileStatus.of(folder)
            if scanner.excluded.contains(folder) { return "it is in the output, state or archive folder" }
            if !scanner.filter.enters(folder: name) { return "the folder \(name) is ignored" }
            if status?.kind == .link { return "the folder \(name) is a symbolic link, and links are not followed" }
            if status?.device != device { return "the folder \(name) is on another file system than the inbox" }
        }
        return nil
    }
}
