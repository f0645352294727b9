import CImageShims
import Glibc
import SystemPackage

/// Decodes each file in a process that has nothing but that file: no other file, no network, no child, little memory
/// and time. Whatever a file does to a decoder, it ends in an error of this process.
///
/// The samples come back through shared memory of a fixed size, everything else through a pipe; both are checked.
public struct DecoderProcess: Sendable {
    /// What is done where a decoder cannot lock itself in.
    public enum Confinement: String, Sendable, CaseIterable {
        /// Camera RAW is refused; other formats, whose libraries are more robust, are decoded.
        case required
        /// Everything is decoded.
        case preferred

        /// The environment variable that sets it.
        public static let variable = "DENOISED_DECODER_CONFINEMENT"

        /// As the environment says; whatever it does not know means `required`.
        static var ofEnvironment: Confinement {
            getenv(variable).flatMap { Confinement(rawValue: String(cString: $0)) } ?? .required
        }
    }

    /// Must call `DecoderHelper.serve` first of all.
    public var executable: FilePath
    public var confinement: Confinement
    /// How long a file may take; nil: as its size allows.
    var patience: Duration?

    /// The answer of a decoder, whose largest parts are an ICC profile and an EXIF block.
    private static let longestAnswer = 64 << 20

    /// - Parameter executable: by default this program, even if its file was replaced meanwhile.
    public init(executable: FilePath = "/proc/self/exe", confinement: Confinement? = nil) {
        self.executable = executable
        self.confinement = confinement ?? .ofEnvironment
    }

    /// Whether decoders can lock themselves in here: a decoder without a file is started, and tries to get out.
    public func isConfined() -> Bool {
        guard let nothing = try? SharedMemory(count: 0),
            let child = try? start([DecoderHelper.probe, "\(getpid())"], nothing, nothing)
        else { return false }
        _ = child.answer(within: .seconds(10), atMost: 0)
        let end = child.finish()
        return end.signal == nil && end.status == 0
    }

    /// Decodes the contents of a file; waits for it.
    func decode(_ contents: FileContents, limits: DecodingLimits) throws(ImagingError) -> Photograph {
        let file = ImagingError.display(contents.path)
        let request = DecoderRequest(parent: getpid(), file: contents.count, limits: limits, confinement: confinement)
        let pixels: SharedMemory
        let child: Child
        do {
            pixels = try SharedMemory(count: limits.sampleBytes)
            try pixels.seal()
            child = try start(request.arguments, contents.memory, pixels)
        } catch {
            throw ImagingError(
                .decoderUnavailable, .decode, file: file, cause: "no decoder could be started (\(error))",
                remedy: "free some memory or raise the limit of processes", errno: error)
        }
        let answer = child.answer(within: patience ?? .seconds(request.seconds), atMost: Self.longestAnswer)
        let end = child.finish()
        guard let bytes = answer.bytes else { throw failure(file, answer, end, request) }
        return try photograph(bytes, file, pixels, limits)
    }

    private func start(
        _ words: [String], _ input: SharedMemory, _ pixels: SharedMemory
    ) throws(Errno) -> Child {
        var ends: [Int32] = [-1, -1]
        guard shim_pipe(&ends) == 0 else { throw Errno(rawValue: errno) }
        defer { close(ends[1]) }
        var arguments = (["denoised", DecoderHelper.command] + words).map { strdup($0) } + [nil]
        defer { arguments.forEach { free($0) } }
        let process = executable.withPlatformString {
            shim_child_start($0, &arguments, input.descriptor.rawValue, ends[1], pixels.descriptor.rawValue)
        }
        guard process > 0 else {
            let reason = Errno(rawValue: errno)
            close(ends[0])
            throw reason
        }
        return Child(process: process, pipe: FileDescriptor(rawValue: ends[0]))
    }

    /// Checks an answer and takes the samples; the decoder has ended.
    private func photograph(
        _ bytes: [UInt8], _ file: String, _ pixels: SharedMemory, _ limits: DecodingLimits
    ) throws(ImagingError) -> Photograph {
        let answer: DecoderAnswer
        do {
            answer = try DecoderAnswer(bytes, file: file)
        } catch {
            throw Self.nonsense(file)
        }
        switch answer {
        case .failure(let error): throw error
        case .photograph(let header):
            try limits.check(
                width: header.width, height: header.height, bytesPerPixel: header.bytesPerPixel, file: file)
            let count = header.width * header.height * header.channels
            // What comes out is of the same size as what went in.
            try MemoryBudget.current.require(
                2 * header.width * header.height * header.bytesPerPixel, file: file)
            do {
                switch header.bitDepth {
                case 8: return header.photograph(.uint8(try pixels.take(count, of: UInt8.self)))
                case 16: return header.photograph(.uint16(try pixels.take(count, of: UInt16.self)))
                default:
                    let samples = try pixels.take(count, of: Float.self)
                    guard samples.allSatisfy(\.isFinite) else { throw Errno.ioError }
                    return header.photograph(.float32(samples))
                }
            } catch {
                throw Self.nonsense(file)
            }
        }
    }

    private static func nonsense(_ file: String) -> ImagingError {
        crashed(file, "the decoder's answer makes no sense")
    }

    private static func crashed(_ file: String, _ cause: String) -> ImagingError {
        ImagingError(
            .decoderCrashed, .decode, file: file, cause: "\(cause) (\(ImageDecoder.libraries))",
            remedy: "convert it to a 16-bit TIFF with a program that you trust, or update the library")
    }

    /// Why there is no answer.
    private func failure(
        _ file: String, _ answer: Child.Answer, _ end: Child.End, _ request: DecoderRequest
    ) -> ImagingError {
        if answer.isLate || end.signal == SIGXCPU {
            let limit = patience.map { "\($0)" } ?? "\(request.seconds) s"
            return ImagingError(
                .decoderTimedOut, .decode, file: file,
                cause: "the decoder was ended after \(limit) (\(ImageDecoder.libraries))",
                remedy: "convert it to a 16-bit TIFF with a program that you trust, or leave it out")
        }
        if let signal = end.signal {
            let hint = signal == SIGKILL ? ", as when memory runs out" : ""
            return Self.crashed(file, "the decoder was ended by signal \(signal), \(Self.name(signal))\(hint)")
        }
        return Self.crashed(file, "the decoder ended without an answer, status \(end.status)")
    }

    private static func name(_ signal: Int32) -> String { strsignal(signal).map { String(cString: $0) } ?? "unknown" }
}
