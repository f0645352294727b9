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

    /// Every point of a run that `log` recorded. Strace counts for each thread and each name by itself, and a fault comes
    /// to whichever thread gets there first.
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

/// How much is tried: a part on every change, all of it in `make soak`.
enum Soak {
    static let isOn = ProcessInfo.processInfo.environment["DENOISED_SOAK"] != nil

    /// `all`, or about `count` of them evenly spread.
    static func part<Element>(of all: [Element], _ count: Int) -> [Element] {
        if isOn || all.count <= count { return all }
        return (0..<count).map { all[$0 * all.count / count] }
    }

    static func count(_ few: Int, soaking many: Int) -> Int { isOn ? many : few }
}
