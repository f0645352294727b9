import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import Imaging

/// What the kernel's files say of the memory that is left.
@Suite struct MemoryBudgetTests {
    private static let mib = 1 << 20
    private static let unlimited =
        "Max open files 1024 4096 files\nMax address space         unlimited  unlimited  bytes\n"

    /// A folder that holds these files, as proc(5) and cgroups(7) lay them out.
    private func budget(_ files: [String: String]) throws -> MemoryBudget {
        try withTemporaryFolder { root in
            for (name, text) in files {
                let file = root.appending(path: name)
                try FileManager.default.createDirectory(
                    at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
                try Data(text.utf8).write(to: file)
            }
            let path = FilePath(root.path)
            return MemoryBudget(process: path.appending("proc/self"), groups: path.appending("cgroup"))
        }
    }

    @Test func withoutLimitsTheMachineDecides() throws {
        let budget = try budget([
            "proc/self/limits": Self.unlimited, "proc/self/statm": "1000 1 1 1 0 1 0\n",
            "proc/self/cgroup": "0::/\n", "proc/meminfo": "MemTotal: 99 kB\nMemAvailable:    2048 kB\n",
        ])
        #expect(budget == MemoryBudget(limit: nil, available: 2 * Self.mib))
        #expect(try budget.workers(atMost: 8, bytes: Self.mib, file: "a") == 2)
        #expect(try budget.workers(atMost: 8, bytes: 64 * Self.mib, file: "a") == 1)
    }

    @Test func theAddressSpaceThatIsLeftIsALimit() throws {
        let pages = 10 * Self.mib / sysconf(Int32(_SC_PAGESIZE))
        let budget = try budget([
            "proc/self/limits": "Max address space         \(100 * Self.mib)   unlimited   bytes\n",
            "proc/self/statm": "\(pages) 1 1 1 0 1 0\n",
        ])
        #expect(budget.limit == 90 * Self.mib)
        #expect(budget.available == nil)
        // A thread takes address space that it does not use, and of which no group counts anything.
        #expect(throws: ImagingError.self) { try budget.workers(atMost: 2, bytes: Self.mib, file: "a") }
    }

    @Test func ofNestedGroupsTheNarrowestCountsWithoutCachedFiles() throws {
        let budget = try budget([
            "proc/self/limits": Self.unlimited, "proc/self/cgroup": "0::/system.slice/denoised.service\n",
            "cgroup/system.slice/denoised.service/memory.max": "max\n",
            "cgroup/system.slice/denoised.service/memory.current": "\(50 * Self.mib)\n",
            "cgroup/system.slice/memory.max": "\(100 * Self.mib)\n",
            "cgroup/system.slice/memory.current": "\(80 * Self.mib)\n",
            "cgroup/system.slice/memory.stat":
                "anon 5\ninactive_file \(20 * Self.mib)\nactive_file \(10 * Self.mib)\n",
        ])
        #expect(budget.limit == 50 * Self.mib)
    }

    @Test func groupsOfTheFirstVersionCountAsWell() throws {
        let budget = try budget([
            "proc/self/cgroup": "3:cpu:/x\n2:memory:/box\n0::/\n",
            "cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
            "cgroup/memory/memory.usage_in_bytes": "1\n",
            "cgroup/memory/box/memory.limit_in_bytes": "\(64 * Self.mib)\n",
            "cgroup/memory/box/memory.usage_in_bytes": "\(60 * Self.mib)\n",
            "cgroup/memory/box/memory.stat": "total_inactive_file \(6 * Self.mib)\ntotal_active_file 0\n",
        ])
        #expect(budget.limit == 10 * Self.mib)
    }

    @Test func whatALimitDoesNotAllowIsRefusedWithItsFigures() {
        let budget = MemoryBudget(limit: 10 << 20, available: 1 << 40)
        let error = #expect(throws: ImagingError.self) { try budget.workers(atMost: 2, bytes: 30 << 20, file: "a.dng") }
        #expect(error?.code == .outOfMemory)
        #expect(error?.description.contains("a.dng: it needs about 30 MiB of memory, 10 MiB are left") == true)
        #expect(throws: Never.self) { try MemoryBudget(limit: nil, available: 0).require(1 << 40, file: "a") }
    }

    @Test func whatIsTakenBesideLeavesRoomForFewerWorkers() throws {
        let budget = MemoryBudget(limit: 100 << 20, available: 1 << 40, threadReserve: 10 << 20)
        #expect(try budget.workers(atMost: 8, bytes: 10 << 20, file: "a") == 5)
        #expect(try budget.workers(atMost: 8, bytes: 10 << 20, beside: 50 << 20, file: "a") == 2)
        #expect(throws: ImagingError.self) {
            try budget.workers(atMost: 8, bytes: 10 << 20, beside: 90 << 20, file: "a")
        }
    }

    @Test func thisMachineHasAnAnswer() {
        #expect((MemoryBudget.current.available ?? 0) > 0)
    }
}
