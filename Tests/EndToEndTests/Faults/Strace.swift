import Foundation
import Testing

/// Faults are put into system calls by strace: no root, no file system of its own, and the true program.
enum Strace {
    static let path = "/usr/bin/strace"
    /// What it saw of the latest run with a fault, in the folder that the run began in.
    static let log = "strace.log"

    /// There, and allowed to trace.
    static let isThere: Bool = {
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = ["-o", "/dev/null", "/bin/true"]
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }()

    static let missing: Comment = "strace is missing or may not trace: apt install strace, or allow ptrace"

    /// What writes, and what names: every step that a crash may come before.
    static let calls = [
        "write", "pwrite64", "fsync", "fdatasync", "rename", "renameat", "renameat2", "link", "linkat", "unlink",
        "unlinkat", "mkdir", "mkdirat", "rmdir", "ftruncate", "fallocate",
    ]

    /// The process that a run with a fault began with, if an error was put into a wake-up of one of its threads. Only
    /// disks are meant to fail: a lost wake-up, which no kernel loses, may leave a program waiting for ever.
    static func processWithoutWakeUp(_ folder: URL) -> Int32? {
        guard let text = try? String(contentsOf: folder.appending(path: log), encoding: .utf8),
            text.split(separator: "\n").contains(where: {
                $0.contains("(INJECTED)") && ($0.contains("[eventfd") || $0.contains("<pipe:"))
            })
        else { return nil }
        return Int32(text.drop { $0 == " " }.prefix { $0 != " " })
    }

    static var filter: String { "trace=\(calls.joined(separator: ","))" }
}

/// One system call of one thread: its name and the how-manieth of that name.
struct FaultPoint: CustomStringConvertible {
    let call: String
    let number: Int

    var description: String { "\(call) \(number)" }

    /// The closes of files below `folders` in a run that `log` recorded with their paths.
    static func closes(in log: String, of folders: [String]) -> [FaultPoint] {
        var counts: [Substring: Int] = [:]
        var numbers: Set<Int> = []
        for line in log.split(separator: "\n") {
            // "341   close(5</tmp/a/out/b.tif>) = 0"
            guard let call = line.range(of: "close("), let thread = line.split(separator: " ").first else { continue }
            counts[thread, default: 0] += 1
            let path = line[call.upperBound...].drop { $0 != "<" }.dropFirst()
            if folders.contains(where: { path.hasPrefix($0) }) { numbers.insert(counts[thread] ?? 0) }
        }
        return numbers.sorted().map { FaultPoint(call: "close", number: $0) }
    }

    /// Every point of a run that `log` recorded. Strace counts for each thread and each name by itself, and a fault
    /// comes to whichever thread gets there first.
    static func all(in log: String) -> [FaultPoint] {
        var counts: [String: [Substring: Int]] = [:]
        for line in log.split(separator: "\n") {
            // "341   write(2, …": short numbers are padded.
            let words = line.split { $0 == " " || $0 == "(" }
            guard words.count > 1, Strace.calls.contains(String(words[1])) else { continue }
            counts[String(words[1]), default: [:]][words[0], default: 0] += 1
        }
        return counts.sorted { $0.key < $1.key }.flatMap { call, threads in
            (1...(threads.values.max() ?? 1)).map { FaultPoint(call: call, number: $0) }
        }
    }
}

/// How much is tried: a part on every change, all of it in `make soak`, which may be had in shares: `DENOISED_SOAK` is
/// "1", or "2/5" for the second fifth.
enum Soak {
    static let isOn = ProcessInfo.processInfo.environment["DENOISED_SOAK"] != nil
    private static let share: (number: Int, of: Int) = {
        let words = ProcessInfo.processInfo.environment["DENOISED_SOAK"]?.split(separator: "/").compactMap { Int($0) }
        guard let words, words.count == 2, words[1] > 0, (1...words[1]).contains(words[0]) else { return (1, 1) }
        return (words[0], words[1])
    }()

    /// `all` or the share of them, or about `count` of them evenly spread.
    static func part<Element>(of all: [Element], _ count: Int) -> [Element] {
        if isOn { return stride(from: share.number - 1, to: all.count, by: share.of).map { all[$0] } }
        if all.count <= count { return all }
        return (0..<count).map { all[$0 * all.count / count] }
    }

    static func count(_ few: Int, soaking many: Int) -> Int { isOn ? max(many / share.of, few) : few }

    /// Where random numbers begin, so that shares try different things.
    static func seed(_ seed: UInt64) -> UInt64 { seed &+ UInt64(share.number - 1) << 32 }
}
