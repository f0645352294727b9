import Foundation
import Testing

extension EndToEnd {
    /// Damaged photographs through the whole program: each ends in an output or in one line.
    @Suite(.timeLimit(.minutes(Soak.isOn ? 600 : 5))) struct DamagedFileTests {
        private static let originals = [
            "made/mosaic.dng", "camera/kodak-dc50.kdc", "made/rgb16-little.tif", "made/rgb16-big.tif",
            "made/rgb8-tiled.tif",
            "made/rgb8-bigtiff-deflate.tif", "made/palette8.tif", "made/rgba16-planar-camera.tif",
            "made/grey12-packed.tif",
            "made/cmyk8.tif", "made/grey-float.tif", "made/rgb.jpg", "made/rgb-progressive.jpg",
            "pngsuite/basi6a16.png",
            "pngsuite/basn2c16.png", "pngsuite/tbbn3p08.png", "pngsuite/basi0g01.png",
        ]

        private let place: Workplace

        init() throws { place = try Workplace() }

        /// A bad sector in one file: it alone fails, and the message says where.
        @Test(.enabled(if: Strace.isThere, Strace.missing)) func aDiskThatFailsIsNamedWithItsPlace() throws {
            try place.folder("in")
            for name in ["bad.png", "good.png"] {
                try place.putWaves(as: "in/\(name)", width: 64, height: 64, noise: 9)
            }
            let outcome = try Run(
                URL(filePath: Strace.path),
                ["-f", "-qq", "-o", "/dev/null", "-P", place["in/bad.png"].path, "-e", "inject=read:error=EIO"] + [
                    try #require(Program.executable).path, "process", "in", "--output", "out", "--model", place.model,
                    "--method", "plain",
                ], in: place.root, environment: [:]
            ).finish()
            #expect(outcome.code == 3)
            #expect(try place.names("out") == ["good-denoised.png"])
            let line = try #require(outcome.errorLines.first { $0.contains("bad.png") })
            #expect(line.contains("at byte 0") && !line.contains("good.png"), "\(line)")
        }

        @Test func everyDamagedFileEndsInAnOutputOrOneLine() throws {
            var random = Sequence(seed: Soak.seed(1))
            var (done, failed, crashed) = (0, 0, 0)
            for batch in 0..<Soak.count(3, soaking: 250) {
                try place.folder("\(batch)")
                for number in 0..<80 {
                    let original = Self.originals[random.below(Self.originals.count)]
                    let damaged = Self.damage(try Workplace.fixture(original), &random)
                    try damaged.write(to: place["\(batch)/\(number)-\(original.split(separator: "/")[1])"])
                }
                let before = try place.contents("\(batch)")
                let outcome = try place.run.start([
                    "process", "\(batch)", "--output", "out-\(batch)", "--model", place.model, "--method", "plain",
                    "--json",
                ]).finish(within: .seconds(600))
                #expect(outcome.code == 3 || outcome.code == 0)
                let lines = try outcome.objects()
                #expect(lines.count == 80)
                // One that needs nothing says so in the same place.
                let reasons = lines.filter { $0["status"] as? String == "failed" }.compactMap {
                    $0["reason"] as? String
                }
                #expect(outcome.errorLines.filter { $0.hasPrefix("denoised: ") }.count == reasons.count)
                for (line, reason) in zip(lines.filter { $0["status"] as? String == "failed" }, reasons) {
                    let file = try #require(line["file"] as? String)
                    #expect(reason.hasPrefix("cannot ") && reason.contains(file) && !reason.contains("\n"))
                }
                #expect(try place.contents("\(batch)") == before)
                #expect(try place.names("out-\(batch)").count == 80 - reasons.count)
                done += 80 - reasons.count
                failed += reasons.count
                crashed += reasons.filter { $0.contains("the decoder") }.count
                for folder in ["\(batch)", "out-\(batch)"] { try FileManager.default.removeItem(at: place[folder]) }
            }
            print("\(done) denoised, \(failed) refused, of which \(crashed) ended their decoder")
            // Damage that nothing notices, or everything, would test little.
            #expect(done > 10 && failed > 10)
        }

        /// Bytes changed, a piece left out, repeated or zeroed, or the end cut off.
        private static func damage(_ whole: Data, _ random: inout Sequence) -> Data {
            var bytes = [UInt8](whole)
            for _ in 0...random.below(3) {
                let start = random.below(bytes.count)
                let end = min(bytes.count, start + 1 + random.below(64))
                switch random.below(7) {
                case 0: bytes.removeSubrange(start..<end)
                case 1: bytes.insert(contentsOf: bytes[start..<end], at: start)
                case 2: for index in start..<end { bytes[index] = 0 }
                case 3: bytes.removeLast(min(bytes.count - 1, random.below(bytes.count)))
                case 4:
                    // Headers hold the sizes that decoders believe.
                    bytes[random.below(min(128, bytes.count))] = [0, 1, 0x7F, 0x80, 0xFF][random.below(5)]
                case 5: bytes[start] ^= 1 << UInt8(random.below(8))
                default: for _ in 0..<4 { bytes[random.below(bytes.count)] = UInt8(random.below(256)) }
                }
                if bytes.isEmpty { bytes = [0] }
            }
            return Data(bytes)
        }
    }
}
