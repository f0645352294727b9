import Crypto
import Foundation
import Glibc
import Imaging
import Synchronization
import SystemPackage
import Tensors

/// Where photographs that take long leave their finished tiles, so that a service that was stopped or killed goes on
/// where it was, to the same bytes.
public struct TileCheckpoints: Sendable {
    /// Made when it is needed; nothing else may be in it.
    public let folder: FilePath
    /// A photograph that is done sooner leaves nothing on the disk.
    public var delay: Duration
    /// Bytes that tiles may take; the tiles beyond are computed again.
    public var largest: Int

    public init(folder: FilePath, delay: Duration = .seconds(20), largest: Int = 4 << 30) {
        self.folder = folder
        self.delay = delay
        self.largest = largest
    }
}

/// The finished tiles of one photograph, in one file: a header that says what they belong to, then tiles as they were
/// finished, each with its number and digest.
///
/// Never in the way: whatever goes wrong with the file, tiles are computed again. A tile that was half written when the
/// machine lost power does not have its digest.
final class TileLog: Sendable {
    private struct State {
        var file: FileDescriptor?
        /// Record by tile.
        var records: [Int: Int] = [:]
        /// Records in the file, damaged ones included.
        var count = 0
        var reused = 0
        var isGivenUp = false
        var synchronized = ContinuousClock.now
    }

    private let checkpoints: TileCheckpoints
    private let header: [UInt8]
    private let path: FilePath
    private let tile: (width: Int, height: Int, channels: Int)
    private let begin = ContinuousClock.now
    private let state = Mutex(State())
    /// Power may fail at any time; this much work is worth more than the wait for the disk.
    private static let synchronization = Duration.seconds(10)
    /// What the rest of the state folder, the ledger above all, needs to go on.
    private static let reserve = 512 << 20

    private var sampleBytes: Int { tile.width * tile.height * tile.channels * MemoryLayout<Float>.stride }
    private var recordBytes: Int { MemoryLayout<UInt64>.size + sampleBytes + SHA256.byteCount }

    /// Finds the tiles that are there.
    ///
    /// - Parameters:
    ///   - identity: of everything that decides what the tiles hold; this program and its kernels are added.
    ///   - tiles: in the photograph, of the size that follows.
    init(
        _ checkpoints: TileCheckpoints, identity: String, tiles: Int, of tile: (width: Int, height: Int, channels: Int)
    ) {
        self.checkpoints = checkpoints
        self.tile = tile
        let name = SHA256.hash(data: Data("\(identity)\n\(Self.program)\n\(arithmeticName)".utf8)).hexadecimal
        header = Array("denoised tiles 1 \(name)\n".utf8)
        path = checkpoints.folder.appending("\(name).tiles")
        state.withLock { $0 = opened(tiles: tiles) }
    }

    deinit { state.withLock { try? $0.file?.close() } }

    /// Tiles that were taken from the file.
    var reused: Int { state.withLock { $0.reused } }

    /// The tile as it was computed earlier; nil if it has to be computed.
    func tile(_ index: Int) -> PlanarImage? {
        state.withLock { state in
            guard let file = state.file, let record = state.records[index],
                let bytes = read(recordBytes, at: header.count + record * recordBytes, of: file)
            else { return nil }
            let digest = SHA256.hash(data: bytes.dropLast(SHA256.byteCount))
            guard digest.elementsEqual(bytes.suffix(SHA256.byteCount)) else { return nil }
            state.reused += 1
            let samples = [Float](unsafeUninitializedCapacity: sampleBytes / MemoryLayout<Float>.stride) {
                UnsafeMutableRawBufferPointer($0).copyBytes(from: bytes.dropFirst(8).prefix(sampleBytes))
                $1 = $0.count
            }
            return PlanarImage(width: tile.width, height: tile.height, channels: tile.channels, samples: samples)
        }
    }

    /// Keeps a finished tile if the photograph takes long.
    func keep(_ image: PlanarImage, as index: Int) {
        state.withLock { state in
            guard !state.isGivenUp, state.file != nil || ContinuousClock.now - begin >= checkpoints.delay else {
                return
            }
            do {
                try append(image, as: index, &state)
            } catch {
                // No room, or a disk that fails: better no tiles than a service that stops for want of space.
                try? state.file?.close()
                remove(path)
                state.file = nil
                state.isGivenUp = true
            }
        }
    }

    /// The photograph is done.
    func finish() {
        state.withLock { state in
            if state.file != nil { remove(path) }
            state.isGivenUp = true
        }
    }

    private func append(_ image: PlanarImage, as index: Int, _ state: inout State) throws {
        let end = header.count + state.count * recordBytes
        guard end + recordBytes <= checkpoints.largest else { return }
        let file = try state.file ?? create()
        state.file = file
        guard hasRoom(file) else { throw Errno.noSpace }
        var bytes = withUnsafeBytes(of: UInt64(index).littleEndian) { Data($0) }
        image.samples.withUnsafeBytes { bytes.append(contentsOf: $0) }
        SHA256.hash(data: bytes).withUnsafeBytes { bytes.append(contentsOf: $0) }
        try file.writeAll(toAbsoluteOffset: Int64(end), bytes)
        state.records[index] = state.count
        state.count += 1
        if ContinuousClock.now - state.synchronized >= Self.synchronization {
            guard fdatasync(file.rawValue) == 0 else { throw Errno(rawValue: errno) }
            state.synchronized = .now
        }
    }

    /// Begins the file. Only one photograph is in work at a time, so that the others' tiles are of no more use.
    private func create() throws -> FileDescriptor {
        _ = checkpoints.folder.withPlatformString { mkdir($0, 0o700) }
        for file in try PhotographFolder.files(in: checkpoints.folder) where file.extension == "tiles" { remove(file) }
        let file = try FileDescriptor.open(
            path, .readWrite, options: [.create, .truncate, .noFollow, .closeOnExec], permissions: [.ownerReadWrite])
        try file.writeAll(toAbsoluteOffset: 0, header)
        return file
    }

    /// What an earlier run left: records of a fixed size, of which the last may be cut.
    private func opened(tiles: Int) -> State {
        var state = State()
        guard
            let file = try? FileDescriptor.open(path, .readWrite, options: [.noFollow, .nonBlocking, .closeOnExec])
        else { return state }
        guard read(header.count, at: 0, of: file) == Data(header), let size = try? file.seek(offset: 0, from: .end)
        else {
            try? file.close()
            return state
        }
        state.file = file
        state.count = (Int(size) - header.count) / recordBytes
        for record in 0..<state.count {
            let number = read(8, at: header.count + record * recordBytes, of: file)?.reversed()
                .reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
            if let number, number < tiles { state.records[Int(number)] = record }
        }
        return state
    }

    private func read(_ count: Int, at offset: Int, of file: FileDescriptor) -> Data? {
        var bytes = Data(count: count)
        let got = try? bytes.withUnsafeMutableBytes { try file.read(fromAbsoluteOffset: Int64(offset), into: $0) }
        return got == count ? bytes : nil
    }

    private func remove(_ path: FilePath) { _ = path.withPlatformString { unlink($0) } }

    private func hasRoom(_ file: FileDescriptor) -> Bool {
        var information = statvfs()
        guard fstatvfs(file.rawValue, &information) == 0 else { return true }
        let free = UInt64(information.f_bavail).multipliedReportingOverflow(by: UInt64(information.f_frsize))
        return free.overflow || free.partialValue > UInt64(Self.reserve + 4 * recordBytes)
    }

    /// Another build may round differently: the file that runs, its size and the time it was written.
    private static let program: String = {
        var status = stat()
        guard stat("/proc/self/exe", &status) == 0 else { return UUID().uuidString }
        let name = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return "\(name) \(status.st_size) \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
    }()
}
