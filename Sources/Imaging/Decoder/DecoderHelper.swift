import CImageShims
import Glibc
import SystemPackage

/// The other end of `DecoderProcess`: the program as it runs in a child.
///
/// It finds the file as descriptor 0, a pipe for the answer as 1 and memory for the samples as 3, and nothing else.
public enum DecoderHelper {
    static let command = "decode-helper"
    /// In place of a request: try what must not be possible, and end with 0 if nothing of it is.
    static let probe = "probe"

    /// Decodes one file if `arguments` ask for it, and returns the exit status; nil if they ask for something else.
    ///
    /// To be called first of all: walls are built around one thread only.
    public static func serve(_ arguments: [String]) -> Int32? {
        guard arguments.count > 1, arguments[1] == command else { return nil }
        if arguments.dropFirst(2).first == probe { return probe(arguments.dropFirst(3)) }
        guard let request = DecoderRequest(arguments.dropFirst(2)) else { return 2 }
        let walls = shim_confine(UInt64(request.memory), UInt32(clamping: request.seconds), request.parent)
        guard walls >= 0 else { return 1 }
        var limits = request.limits
        // Landlock alone would leave the network open; the filter of system calls closes files as well.
        let isConfined = Int(walls) & SHIM_WALL_SECCOMP != 0
        limits.decodesSensorData = isConfined || request.confinement == .preferred
        return answer(decode(limits)) ? 0 : 1
    }

    private static func probe(_ arguments: some Collection<String>) -> Int32 {
        guard let parent = arguments.first.flatMap({ Int32($0) }) else { return 2 }
        return shim_confine(1 << 28, 10, parent) > 0 && shim_confine_probe() == 0 ? 0 : 1
    }

    private static func decode(_ limits: DecodingLimits) -> DecoderAnswer {
        do {
            let input = FileDescriptor(rawValue: Int32(SHIM_CHILD_INPUT))
            let contents = try MappedBytes(input, count: size(of: input))
            let photograph = try contents.withUnsafeBytes { (bytes) throws(ImagingError) in
                try ImageDecoder.decode(bytes: bytes, name: "", limits: limits)
            }
            try store(photograph.pixels, limits)
            return .photograph(PhotographHeader(photograph))
        } catch let error as ImagingError {
            return .failure(error)
        } catch {
            return .failure(
                ImagingError(
                    .outOfMemory, .decode, file: "", cause: "\(error)", remedy: "free some memory or raise the limits"))
        }
    }

    private static func size(of input: FileDescriptor) throws(Errno) -> Int {
        var status = stat()
        guard fstat(input.rawValue, &status) == 0 else { throw Errno(rawValue: errno) }
        return Int(status.st_size)
    }

    /// Copies the samples into the shared memory; its size cannot be changed, so that too many would be a fault.
    private static func store(_ pixels: PixelBuffer, _ limits: DecodingLimits) throws {
        func copy(_ bytes: UnsafeRawBufferPointer) throws {
            guard bytes.count <= limits.sampleBytes else { throw Errno.noMemory }
            let memory = FileDescriptor(rawValue: Int32(SHIM_CHILD_PIXELS))
            let block = try SharedMemory.map(memory, bytes.count, PROT_READ | PROT_WRITE, MAP_SHARED)
            UnsafeMutableRawBufferPointer(start: block, count: bytes.count).copyMemory(from: bytes)
        }
        switch pixels.samples {
        case .uint8(let values): try values.withUnsafeBytes(copy)
        case .uint16(let values): try values.withUnsafeBytes(copy)
        case .float32(let values): try values.withUnsafeBytes(copy)
        }
    }

    /// Writes the answer behind its length; false if nobody listens.
    private static func answer(_ answer: DecoderAnswer) -> Bool {
        var writer = AnswerWriter()
        writer.write(answer.bytes)
        return (try? FileDescriptor(rawValue: Int32(SHIM_CHILD_REPLY)).writeAll(writer.bytes)) != nil
    }
}
