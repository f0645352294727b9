import Glibc
import SystemPackage
import Testing

@testable import Imaging

/// What a decoder process may do to its parent. Decoders here are shell scripts that misbehave; the true one is tested
/// with the built program.
struct DecoderProcessTests {
    private static let photograph = Fixtures.made("rgb16-little.tif")

    /// Decodes a photograph with a script in place of the decoder; `$here` is its folder.
    private func decode(
        _ script: String, _ files: [String: [UInt8]] = [:], limits: DecodingLimits = DecodingLimits()
    ) throws -> Photograph {
        let folder = try TemporaryFolder()
        for (name, bytes) in files { _ = try folder.file(name, bytes) }
        let program = try folder.file("decoder", Array("#!/bin/sh\nhere=\(folder.path)\n\(script)\n".utf8))
        #expect(chmod(program.string, 0o700) == 0)
        var process = DecoderProcess(executable: program, confinement: .required)
        process.patience = .seconds(20)
        if script.contains("# hangs") { process.patience = .milliseconds(200) }
        return try PhotographDecoder.inChild(process).decode(Self.photograph, limits: limits)
    }

    private func failure(
        _ script: String, _ files: [String: [UInt8]] = [:], limits: DecodingLimits = DecodingLimits()
    ) throws -> ImagingError {
        try #require(#expect(throws: ImagingError.self) { try decode(script, files, limits: limits) })
    }

    /// An answer as it comes through the pipe.
    private static func framed(_ answer: [UInt8]) -> [UInt8] {
        var writer = AnswerWriter()
        writer.write(answer)
        return writer.bytes
    }

    private static func answer(
        width: Int = 4, height: Int = 3, samples: PixelBuffer.Samples = .uint8([UInt8](repeating: 0, count: 12))
    ) -> [UInt8] {
        DecoderAnswer.photograph(
            PhotographHeader(
                Photograph(
                    pixels: PixelBuffer(width: width, height: height, colourChannels: 1, samples: samples),
                    format: .tiff))
        ).bytes
    }

    @Test func aCrashIsAnErrorThatNamesSignalAndLibraries() throws {
        let error = try failure("kill -SEGV $$")
        #expect(error.code == .decoderCrashed)
        #expect(error.cause.contains("signal 11, Segmentation fault") && error.cause.contains("LibRaw 0."))
        #expect(error.file.hasSuffix("rgb16-little.tif") && !error.description.contains("\n"))
    }

    @Test(arguments: ["while :; do :; done # hangs", "exec /bin/sleep 100 # hangs"])
    func aHangEndsWhenTimeIsUp(_ script: String) throws {
        let begin = ContinuousClock.now
        #expect(try failure(script).code == .decoderTimedOut)
        #expect(ContinuousClock.now - begin < .seconds(20))
    }

    @Test(arguments: [
        "exit 0", "exit 3", "echo garbage", "exec /bin/cat /dev/zero", "exec /usr/bin/yes",
        "exec >&-; exec /bin/sleep 100",
    ])
    func anythingButAnAnswerIsACrash(_ script: String) throws {
        #expect(try failure(script).code == .decoderCrashed)
    }

    @Test func aDecoderThatCannotStartIsNotTheFilesFault() throws {
        let decoder = PhotographDecoder.inChild(DecoderProcess(executable: "/nowhere/denoised", confinement: .required))
        let error = #expect(throws: ImagingError.self) { try decoder.decode(Self.photograph) }
        #expect(error?.code == .decoderUnavailable && error?.errno == .noSuchFileOrDirectory)
    }

    @Test func anHonestAnswerIsAPhotograph() throws {
        let samples = (0..<12).map { UInt8($0 * 20) }
        let pixels = try decode(
            "/bin/cat $here/samples >&3; exec /bin/cat $here/answer",
            ["samples": samples, "answer": Self.framed(Self.answer())]
        ).pixels
        #expect(pixels.width == 4 && pixels.height == 3 && pixels.samples == .uint8(samples))
    }

    @Test func aSizeBeyondTheLimitsIsRefusedWhateverTheDecoderSays() throws {
        let answer = Self.framed(
            Self.answer(width: 400, height: 300, samples: .uint8([UInt8](repeating: 0, count: 120_000))))
        let error = try failure(
            "exec /bin/cat $here/answer", ["answer": answer], limits: DecodingLimits(megapixels: 0.1))
        #expect(
            error.code == .limitExceeded && error.cause == "0.12 MP exceeds the limit of 0.1 MP (limits.megapixels)")
    }

    @Test func samplesThatAreNoNumbersAreRefused() throws {
        let answer = Self.framed(Self.answer(samples: .float32([Float](repeating: 0, count: 12))))
        let error = try failure(
            "/bin/cat $here/samples >&3; exec /bin/cat $here/answer",
            ["samples": [UInt8](repeating: 0xFF, count: 48), "answer": answer])
        #expect(error.code == .decoderCrashed)
    }

    @Test func whatADecoderReportsBecomesOneLine() throws {
        let report = ImagingError(.unsupported, .decode, file: "", cause: "a\nb\u{1B}[2J", remedy: "c\r\nd")
        let error = try failure(
            "exec /bin/cat $here/answer", ["answer": Self.framed(DecoderAnswer.failure(report).bytes)])
        #expect(error.code == .unsupported && error.cause == "a b [2J" && error.remedy == "c  d")
        #expect(error.file.hasSuffix("rgb16-little.tif"))
    }

    @Test func itsDescriptorsAndEnvironmentAreAllItGets() throws {
        let report =
            "cd /proc/self/fd && for n in *; do echo $n; done > $here/descriptors; /usr/bin/env > $here/environment"
        let folder = try TemporaryFolder()
        let program = try folder.file("decoder", Array("#!/bin/sh\nhere=\(folder.path)\n\(report)\n".utf8))
        #expect(chmod(program.string, 0o700) == 0)
        let decoder = PhotographDecoder.inChild(DecoderProcess(executable: program, confinement: .required))
        #expect(throws: ImagingError.self) { try decoder.decode(Self.photograph) }
        let lines = { (name: String) in
            String(decoding: try FileContents(folder.path.appending(name)).bytes, as: UTF8.self)
                .split(separator: "\n").map(String.init)
        }
        // The shell itself reads its script and the folder through further ones, from 10 on and 4.
        #expect(try Set(lines("descriptors")).isSubset(of: ["0", "1", "2", "3", "4", "10", "11"]))
        let environment = Set(try lines("environment").compactMap { $0.split(separator: "=").first.map(String.init) })
        #expect(
            environment.isSubset(of: [
                "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "SWIFT_BACKTRACE", "PWD", "OLDPWD", "_",
            ]))
    }

    @Test func everyCutAnswerIsNonsense() {
        let whole = Self.answer()
        for count in 0..<whole.count {
            #expect(throws: AnswerReader.Nonsense.self) { try DecoderAnswer(whole[..<count], file: "x") }
        }
        #expect(throws: AnswerReader.Nonsense.self) { try DecoderAnswer(whole + [0], file: "x") }
    }

    @Test func noAnswerEndsTheProgram() {
        var state: UInt64 = 1
        for _ in 0..<20_000 {
            var answer = Self.answer()
            for _ in 0..<4 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                answer[Int(state >> 33) % answer.count] =
                    state >> 62 == 0 ? 0xFF : UInt8(truncatingIfNeeded: state >> 20)
            }
            _ = try? DecoderAnswer(answer, file: "x")
        }
    }

    @Test func everythingOfAPhotographSurvivesTheWay() throws {
        let names = ["rgba16-planar-camera.tif", "mosaic.dng", "rgb.jpg", "grey-float.tif"].map(Fixtures.made)
        let suite = Fixtures.images.appending("pngsuite")
        let all = names + Fixtures.names(in: suite).filter { $0.hasSuffix(".png") }.map { suite.appending($0) }
        for name in all {
            guard let photograph = try? ImageDecoder.decode(name) else { continue }
            guard
                case .photograph(let header) = try DecoderAnswer(
                    DecoderAnswer.photograph(PhotographHeader(photograph)).bytes, file: "x")
            else {
                Issue.record("\(name) became an error")
                continue
            }
            let copy = header.photograph(photograph.pixels.samples)
            #expect(copy.pixels == photograph.pixels && copy.metadata == photograph.metadata)
            #expect(
                copy.iccProfile == photograph.iccProfile && copy.exif == photograph.exif && copy.xmp == photograph.xmp)
            #expect(copy.colorimetry == photograph.colorimetry && copy.format == photograph.format)
            #expect(copy.sourceBitDepth == photograph.sourceBitDepth && copy.pages == photograph.pages)
        }
    }

    @Test func sealedMemoryKeepsItsSizeAndItsBytes() throws {
        let memory = try SharedMemory(count: 4096)
        try memory.fill { $0.initializeMemory(as: UInt8.self, repeating: 7) }
        try memory.seal(contents: true)
        #expect(ftruncate(memory.descriptor.rawValue, 1) == -1 && ftruncate(memory.descriptor.rawValue, 8192) == -1)
        #expect(throws: Errno.self) { try memory.descriptor.writeAll([1]) }
        #expect(throws: Errno.self) { try memory.fill { _ in } }
        #expect(try MappedBytes(memory.descriptor, count: 4096).withUnsafeBytes { $0.allSatisfy { $0 == 7 } })
    }

    @Test func takenMemoryIsGivenBack() throws {
        let memory = try SharedMemory(count: 20 << 20)
        try memory.fill { $0.initializeMemory(as: UInt8.self, repeating: 7) }
        let half = try memory.take(10 << 20, of: UInt8.self)
        #expect(half.count == 10 << 20 && half.allSatisfy { $0 == 7 })
        var status = stat()
        #expect(fstat(memory.descriptor.rawValue, &status) == 0)
        #expect(status.st_blocks * 512 <= 10 << 20)
        #expect(throws: Errno.self) { try memory.take(21 << 20, of: UInt8.self) }
    }
}
