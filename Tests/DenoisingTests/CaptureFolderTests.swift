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
            #expect(folder.census == CaptureCensus())
            #expect(try folder.keep(photograph(1), camera: "Canon EOS 5D", iso: 3200, hash: hash(1)) == true)
            #expect(try folder.keep(photograph(1), camera: "Canon EOS 5D", iso: 3200, hash: hash(1)) == false)
            #expect(try Small.names(in: folder.path) == ["canoneos5d_3200-1111111111111111.png"])
            let kept = try ImageDecoder.decode(try #require(folder.files().first)).pixels
            #expect((kept.width, kept.height) == (200, 180))
            #expect(folder.census.turn(atLeast: 1) == CaptureCensus.Turn(camera: Camera("Canon EOS 5D")))
            #expect(try CaptureSet(folders: [folder.path]) { Issue.record("\($0)") }.count == 1)
        }
    }

    /// Whoever learned has to wait for new crops; the others do not.
    @Test func cropsAreNewToEachModelUntilItHasLearned() throws {
        try withTemporaryPath { state in
            let folder = CaptureFolder(state: state)
            for (index, camera) in ["Canon EOS 5D", "NIKON D750", nil].enumerated() {
                _ = try folder.keep(photograph(UInt64(index)), camera: camera, iso: 800, hash: hash(index))
            }
            var turns: [Camera?] = []
            while let turn = folder.census.turn(atLeast: 1), turns.count < 9 {
                turns.append(turn.camera)
                try folder.markLearned(for: turn.camera)
            }
            #expect(turns == [nil, Camera("Canon EOS 5D"), Camera("NIKON D750")])
            // File systems may date two files alike that follow each other.
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: -60)],
                ofItemAtPath: folder.path.appending(".learned-nikond750").string)
            _ = try folder.keep(photograph(8), camera: "Nikon D750", iso: 6400, hash: hash(8))
            #expect(folder.census.turn(atLeast: 1)?.camera == Camera("nikond750"))
            #expect(folder.files(of: Camera("nikond750")).count == 2)
        }
    }

    @Test(arguments: [
        ("canoneos5d_3200-0123456789abcdef.png", "Canon EOS 5D", "3200"), ("_0-0123456789abcdef.png", nil, "0"),
        ("CanonEOS5DISO3200-0123456789abcdef.png", "Canon EOS 5D", "3200"), ("ISO0-0123456789abcdef.png", nil, "0"),
        ("unknown-0123456789abcdef.png", nil, "unknown"),
    ])
    func namesSayCameraAndSensitivityAlsoThoseOfEarlierVersions(_ name: String, _ camera: String?, _ iso: String) {
        #expect(CaptureName(name).camera == Camera(camera))
        #expect(CaptureName(name).sensitivity == iso)
    }

    @Test func whatAnEarlierVersionKeptIsNotKeptAgain() throws {
        try withTemporaryPath { state in
            let folder = CaptureFolder(state: state)
            try FileManager.default.createDirectory(atPath: folder.path.string, withIntermediateDirectories: true)
            try Data().write(to: URL(filePath: folder.path.appending("CanonEOS5DISO800-1111111111111111.png").string))
            #expect(try folder.keep(photograph(1), camera: "Canon EOS 5D", iso: 800, hash: hash(1)) == false)
        }
    }

    @Test func whatTeachesNothingIsNotKept() throws {
        try withTemporaryPath { state in
            let folder = CaptureFolder(state: state)
            for (index, it) in [photograph(1, deviation: 0), photograph(1, width: 300, height: 300)].enumerated() {
                let isKept = try folder.keep(it, camera: "a", iso: nil, hash: hash(index))
                #expect(!isKept)
            }
            #expect(!FileManager.default.fileExists(atPath: folder.path.string))
        }
    }

    @Test(arguments: ["../../etc", "", "/", "名", "a-b.png", "a_b", String(repeating: "x", count: 300), "\u{0}\n"])
    func aCameraCannotLeaveTheFolder(name: String) throws {
        try withTemporaryPath { state in
            let folder = CaptureFolder(state: state)
            let isKept = try folder.keep(photograph(1), camera: name, iso: 1e300, hash: hash(1))
            #expect(isKept)
            #expect(folder.census.crops.map(\.camera) == [Camera(name)])
            #expect(try Small.names(in: state) == ["captures"])
        }
    }

    @Test func frequentCamerasMakeRoomForRareOnesAndTheirFrequentSensitivities() {
        /// So many of each kind, the oldest first.
        func files(_ kinds: [(String, Int)]) -> [(name: String, modified: Date)] {
            let names = kinds.flatMap { kind, count in (0..<count).map { "\(kind)-\($0).png" } }
            return names.enumerated().map { ($1, Date(timeIntervalSince1970: Double($0))) }
        }
        let most = CaptureFolder.most
        // The phone has more in all, the camera more of one kind.
        let full = files([("phone_100", 20), ("phone_200", most - 50), ("camera_100", 30)])
        #expect(full.count == most)
        #expect(CaptureFolder.superfluous(full) == ["phone_200-0.png"])
        #expect(CaptureFolder.superfluous(Array(full.dropLast())) == [])
        #expect(CaptureFolder.superfluous(full + full.map { ("x" + $0.name, $0.modified) }).count == most + 1)
    }

    /// The twenty that the configuration asks for by default.
    @Test func fourCamerasCanAllHaveEnough() {
        var kept: [(name: String, modified: Date)] = []
        for index in 0..<400 {
            // One of them takes as many as the others together, at many sensitivities.
            let camera = index % 2 == 0 ? "a" : ["b", "c", "d"][index / 2 % 3]
            let superfluous = Set(CaptureFolder.superfluous(kept))
            kept.removeAll { superfluous.contains($0.name) }
            kept.append(("\(camera)_\(index % 5)-\(index).png", Date(timeIntervalSince1970: Double(index))))
        }
        let counts = Dictionary(grouping: kept) { CaptureName($0.name).camera }.mapValues(\.count)
        #expect(counts.count == 4 && counts.values.allSatisfy { $0 >= 19 }, "\(counts)")
        #expect(kept.count == CaptureFolder.most)
    }
}
