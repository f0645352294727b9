@testable import Denoising
import Foundation
import Imaging
import SystemPackage
import Testing

@Suite struct CaptureFolderTests {
    private func photograph(_ seed: UInt64, width: Int = 400, height: Int = 360, deviation: Float = 10) -> PixelBuffer {
        PixelBuffer(
            interleaving: Scenes.noisy(
                Scenes.clean(seed, width: width, height: height), deviation: deviation, seed: seed))
    }

    private func hash(_ digit: Int) -> String { String(repeating: String(digit, radix: 16), count: 64) }

    @Test func cropsAreKeptOnceAndNeverWholePhotographs() throws {
        try withTemporaryPath { state in
            let folder = CaptureFolder(state: state)
            #expect(folder.counts == (0, 0))
            #expect(try folder.keep(photograph(1), kind: "Canon EOS 5D ISO 3200", hash: hash(1)) == true)
            #expect(try folder.keep(photograph(1), kind: "Canon EOS 5D ISO 3200", hash: hash(1)) == false)
            #expect(try Small.names(in: folder.path) == ["CanonEOS5DISO3200-1111111111111111.png"])
            let kept = try ImageDecoder.decode(folder.path.appending("CanonEOS5DISO3200-1111111111111111.png")).pixels
            #expect((kept.width, kept.height) == (200, 180))
            #expect(folder.counts == (1, 1))
            try folder.markLearned()
            #expect(folder.counts == (1, 0))
            #expect(try CaptureSet(folders: [folder.path]) { Issue.record("\($0)") }.count == 1)
        }
    }

    @Test func whatTeachesNothingIsNotKept() throws {
        try withTemporaryPath { state in
            let folder = CaptureFolder(state: state)
            for (index, it) in [photograph(1, deviation: 0), photograph(1, width: 300, height: 300)].enumerated() {
                let isKept = try folder.keep(it, kind: "a", hash: hash(index))
                #expect(!isKept)
            }
            #expect(!FileManager.default.fileExists(atPath: folder.path.string))
        }
    }

    @Test(arguments: ["../../etc", "", "/", "名", "a-b.png"]) func aKindCannotLeaveTheFolder(kind: String) throws {
        try withTemporaryPath { state in
            let folder = CaptureFolder(state: state)
            let isKept = try folder.keep(photograph(1), kind: kind, hash: hash(1))
            #expect(isKept)
            #expect(folder.counts.all == 1)
            #expect(try Small.names(in: state) == ["captures"])
        }
    }

    @Test func frequentKindsMakeRoomForRareOnes() {
        let files = (0..<CaptureFolder.most).map { index in
            (
                name: "\(index < 40 ? "phone" : "camera")-\(index).png",
                modified: Date(timeIntervalSince1970: Double(index))
            )
        }
        #expect(CaptureFolder.superfluous(files) == ["phone-0.png"])
        #expect(CaptureFolder.superfluous(Array(files.dropLast())) == [])
        #expect(CaptureFolder.superfluous(files + files.map { ("x" + $0.name, $0.modified) }).count == 49)
    }
}
