import Glibc
import SystemPackage

/// Memory that this process may still take. Where it runs out, allocations do not fail in a way that a program could
/// answer, so it is asked before.
public struct MemoryBudget: Sendable, Equatable {
    /// Bytes until the process's own limit or that of its control group, which nothing passes; nil without one.
    public let limit: Int?
    /// Bytes that the machine could give without pushing others out; nil where it does not say.
    public let available: Int?
    /// Bytes of address space that a thread takes and does not use, where that is what is limited: its stack, malloc's
    /// arena, and what alignment leaves over.
    public let threadReserve: Int

    public init(limit: Int?, available: Int?, threadReserve: Int = 0) {
        self.limit = limit
        self.available = available
        self.threadReserve = threadReserve
    }

    public static var current: MemoryBudget { MemoryBudget(process: "/proc/self", groups: "/sys/fs/cgroup") }

    /// - Parameters:
    ///   - process: proc(5)'s folder of the process.
    ///   - groups: where control groups are mounted, of either version.
    init(process: FilePath, groups: FilePath) {
        let space = Self.addressSpace(process)
        limit = [space, Self.group(process, groups)].compactMap { $0 }.min()
        threadReserve = space != nil && space == limit ? 96 << 20 : 0
        available = Self.number(process.removingLastComponent().appending("meminfo"), "MemAvailable:").map { $0 << 10 }
    }

    /// How many workers of `bytes` each may work at once, at most `most` and at least one.
    ///
    /// - Parameter others: bytes that are taken beside, however many work.
    /// - Throws: `outOfMemory` if the limit does not allow one.
    public func workers(
        atMost most: Int, bytes: Int, beside others: Int = 0, file: String
    ) throws(ImagingError) -> Int {
        try require(bytes + others, file: file)
        let room = [limit, available].compactMap { $0 }.min().map { $0 - others } ?? .max
        return max(1, min(most, room / max(bytes + threadReserve, 1)))
    }

    /// - Throws: `outOfMemory` if the limit does not allow one thread so many bytes more.
    func require(_ bytes: Int, file: String) throws(ImagingError) {
        let bytes = bytes + threadReserve
        guard let limit, limit < bytes else { return }
        throw ImagingError(
            .outOfMemory, .decode, file: file,
            cause: "it needs about \(bytes >> 20) MiB of memory, \(max(limit, 0) >> 20) MiB are left of the limit",
            remedy:
                "raise \(threadReserve > 0 ? "LimitAS= (ulimit -v)" : "MemoryMax=") of the service, or name a smaller "
                + "denoise.tile")
    }

    private static func addressSpace(_ process: FilePath) -> Int? {
        let name = "Max address space"
        let line = lines(process.appending("limits")).first { $0.hasPrefix(name) }
        guard let most = line?.dropFirst(name.count).split(separator: " ").first.flatMap({ Int($0) }),
            let pages = lines(process.appending("statm")).first?.split(separator: " ").first.flatMap({ Int($0) })
        else { return nil }
        return most - pages * sysconf(Int32(_SC_PAGESIZE))
    }

    /// What is left to the process's group and every group above it.
    private static func group(_ process: FilePath, _ groups: FilePath) -> Int? {
        let rooms = lines(process.appending("cgroup")).compactMap { line -> Int? in
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { return nil }
            if fields[1].split(separator: ",").contains("memory") {
                return room(
                    groups.appending("memory"), String(fields[2]), "memory.limit_in_bytes", "memory.usage_in_bytes",
                    ["total_inactive_file", "total_active_file"])
            }
            guard fields[1].isEmpty else { return nil }
            return room(groups, String(fields[2]), "memory.max", "memory.current", ["inactive_file", "active_file"])
        }
        return rooms.min()
    }

    /// Files in memory count as used, and make way.
    private static func room(
        _ root: FilePath, _ path: String, _ most: FilePath.Component, _ used: FilePath.Component, _ files: [String]
    ) -> Int? {
        var folder = FilePath(path).components.isEmpty ? root : root.appending(FilePath(path).components)
        var least: Int?
        while folder.components.count >= root.components.count {
            if let most = number(folder.appending(most)), let used = number(folder.appending(used)) {
                let cached = files.compactMap { number(folder.appending("memory.stat"), $0) }.reduce(0, +)
                least = min(least ?? .max, most - max(used - cached, 0))
            }
            folder.removeLastComponent()
        }
        return least
    }

    /// The number behind `name`, or alone in its file. "max", and what stands for it, is none.
    private static func number(_ file: FilePath, _ name: String? = nil) -> Int? {
        let lines = lines(file)
        let words = (name.map { name in lines.first { $0.hasPrefix("\(name) ") } ?? "" } ?? lines.first ?? "")
            .split(separator: " ")
        let value = words.dropFirst(name == nil ? 0 : 1).first.flatMap { Int($0) }
        return value.flatMap { $0 < 1 << 60 ? $0 : nil }
    }

    /// Of a file that the kernel writes, which says nothing of its size; none if it cannot be read.
    private static func lines(_ file: FilePath) -> [String] {
        guard let descriptor = try? FileDescriptor.open(file, .readOnly, options: .closeOnExec) else { return [] }
        defer { try? descriptor.close() }
        var text: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 4096)
        while let got = try? block.withUnsafeMutableBytes({ try descriptor.read(into: $0) }), got > 0 {
            text += block[..<got]
        }
        return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}
