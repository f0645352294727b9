import Foundation
import Ledger
import SystemPackage
import Testing

@testable import DenoiseService

@Suite struct InboxTests {
    @Test(arguments: [
        ".hidden.png", ".syncthing.a.png.tmp", "~syncthing~a.png.tmp", ".a.png.x8Kd2l", ".in.a.png", "a.png.part",
        "a.png.filepart", "a.tmp", "a.crdownload", "._a.png", ".DS_Store", "Thumbs.db", "THUMBS.DB", "A.PART",
        "private.png",
    ])
    func temporaryNamesAndLitterAreIgnored(name: String) throws {
        let filter = InboxFilter(ignore: ["private*"])
        guard case .ignored = filter.judge(file: try #require(FilePath.Component(name))) else {
            Issue.record("\(name) is taken")
            return
        }
    }

    @Test(arguments: ["a.png", "A.DNG", "a.b.Tiff", "-a.jpg", "a part.nef", "é.cr3"])
    func photographsAreTaken(name: String) throws {
        #expect(InboxFilter().judge(file: try #require(FilePath.Component(name))) == .photograph)
    }

    @Test(arguments: ["a", "a.txt", "a.png.xmp", "png"]) func otherFilesAreNotPhotographs(name: String) throws {
        #expect(InboxFilter().judge(file: try #require(FilePath.Component(name))) == .otherExtension)
    }

    @Test(arguments: ["@eaDir", ".stfolder", ".stversions", "#recycle", "lost+found"])
    func litterFoldersAreNotEntered(name: String) throws {
        #expect(!InboxFilter().enters(folder: try #require(FilePath.Component(name))))
    }

    @Test func linksPipesAndDeepFoldersAreNotFollowed() throws {
        let folder = try ServiceFolder()
        try folder.put("one", as: "a.png")
        try folder.put("two", as: "x.dng/b.png")
        try folder.put("deep", as: Array(repeating: "d", count: 40).joined(separator: "/") + "/c.png")
        for (name, target) in [("link.png", "a.png"), ("dangling.png", "nowhere"), ("folder", "x.dng"), ("loop", ".")] {
            try FileManager.default.createSymbolicLink(
                atPath: folder.inbox.appending(name).string, withDestinationPath: target)
        }
        #expect(mkfifo(folder.inbox.appending("pipe.png").string, 0o600) == 0)
        let contents = InboxScanner(folder.configuration).scan(folder.inbox)
        #expect(
            contents.photographs.map(\.path) == [
                folder.inbox.appending("a.png"), folder.inbox.appending("x.dng").appending("b.png"),
            ])
        #expect(contents.folders.count == 1 + 1 + InboxScanner.maximumDepth)
    }

    @Test func whatIsNoFileIsSpokenOfOnceWhileItIsThere() throws {
        let folder = try ServiceFolder()
        let (link, pipe) = (folder.inbox.appending("link.png"), folder.inbox.appending("pipe.png"))
        try FileManager.default.createSymbolicLink(atPath: link.string, withDestinationPath: "/etc/passwd")
        #expect(mkfifo(pipe.string, 0o600) == 0)
        #expect(mkfifo(folder.inbox.appending(".pipe").string, 0o600) == 0)
        let log = KeptLog()
        var loop = IntakeLoop(
            folder.configuration, ledger: try folder.ledger(), logger: .keeping(log), watches: false)
        for moment in 0..<3 { _ = try loop.rescan(at: .seconds(moment)) }
        let line = "not a photograph itself: links, pipes and devices are passed over file="
        #expect(log.lines == [line + link.string, line + pipe.string])
        try FileManager.default.removeItem(atPath: pipe.string)
        _ = try loop.rescan(at: .seconds(4))
        #expect(mkfifo(pipe.string, 0o600) == 0)
        _ = try loop.rescan(at: .seconds(5))
        #expect(log.lines == [line + link.string, line + pipe.string, line + pipe.string])
        for number in 0..<100 { #expect(mkfifo(folder.inbox.appending("p\(number).png").string, 0o600) == 0) }
        _ = try loop.rescan(at: .seconds(6))
        #expect(log.lines.count == 3 + 20 + 1)
        #expect(log.lines.last?.hasSuffix("files=80 inbox=\(folder.inbox.string)") == true)
    }

    @Test func withoutRecursionFoldersAreNotEntered() throws {
        let folder = try ServiceFolder()
        try folder.put("one", as: "a.png")
        try folder.put("two", as: "x/b.png")
        var configuration = folder.configuration
        configuration.watch.isRecursive = false
        #expect(InboxScanner(configuration).scan(folder.inbox).photographs.count == 1)
    }

    @Test func aPipeIsRefusedWithoutWaiting() throws {
        let folder = try ServiceFolder()
        let pipe = folder.inbox.appending("a.png")
        #expect(mkfifo(pipe.string, 0o600) == 0)
        let error = #expect(throws: ServiceError.self) { try ContentHash(of: pipe) }
        #expect(error?.code == .notARegularFile)
    }

    @Test func theHashIsThatOfTheContent() throws {
        let folder = try ServiceFolder()
        try folder.put("abc", as: "a.png")
        // FIPS 180-2, appendix B.1.
        #expect(
            try ContentHash(of: folder.inbox.appending("a.png")).text
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }

    @Test func writtenRenamedAndNewFoldersAreReported() throws {
        let folder = try ServiceFolder()
        let watcher = try DirectoryWatcher(watchingFolders: true)
        #expect(try watcher.watch(folder.inbox))
        #expect(try !watcher.watch(folder.inbox))
        try folder.put("one", as: "a.png.part")
        try FileManager.default.moveItem(
            atPath: folder.inbox.appending("a.png.part").string, toPath: folder.inbox.appending("a.png").string)
        try createFolder(folder.inbox.appending("trip"))
        #expect(
            watcher.read() == [
                .file(folder.inbox.appending("a.png.part")), .file(folder.inbox.appending("a.png")),
                .folder(folder.inbox.appending("trip")),
            ])
    }

    @Test(arguments: [
        ("a.png", Explanation.Verdict.willBeTaken), ("link.png", .excluded), ("a.png.part", .excluded),
        ("a.txt", .excluded), ("nothing.png", .missing), ("../a.png", .outside), ("@eaDir/a.png", .excluded),
    ])
    func everyFileHasAnExplanation(name: String, verdict: Explanation.Verdict) throws {
        let folder = try ServiceFolder()
        for file in ["a.png", "a.png.part", "a.txt", "@eaDir/a.png"] { try folder.put("one", as: file) }
        try FileManager.default.createSymbolicLink(
            atPath: folder.inbox.appending("link.png").string, withDestinationPath: "a.png")
        let path = folder.inbox.pushing(FilePath(name))
        let explanation = try Explanation(path, configuration: folder.configuration, ledger: nil)
        #expect(explanation.verdict == verdict)
    }
}
