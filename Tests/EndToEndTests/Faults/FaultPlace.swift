import Foundation
import Testing

/// A small life of a service, which faults are put into: two photographs, an inbox, an output folder and a state.
struct FaultPlace {
    /// What a life without faults leaves behind.
    struct Peace {
        let outputs: [String: Data]
        let state: [String]
    }

    let place: Workplace
    let originals: [String: Data]

    init(_ photographs: Int = 2, side: Int = 64) throws {
        place = try Workplace()
        try place.folder("in")
        for number in 1...photographs {
            try place.putWaves(as: "in/\(number).png", width: side, height: side, noise: 4 + number)
        }
        originals = try place.contents("in")
    }

    static let service = [
        "run", "--inbox", "in", "--output", "out", "--state", "state", "--preset", "balanced", "--set",
        "watch.stability_delay=0s", "--set", "limits.min_free_space=0",
    ]

    func start(_ options: [String] = ["--oneshot"], injecting fault: String? = nil) throws -> Run {
        try place.run.start(Self.service + options + ["--model", place.model], injecting: fault)
    }

    @discardableResult
    func drain(injecting fault: String? = nil) throws -> Program.Outcome { try start(injecting: fault).finish() }

    /// Runs with an error in a system call.
    ///
    /// - Returns: nil if it had to be killed, because the error took a wake-up and not a write to a disk.
    func drain(failing fault: String) throws -> Program.Outcome? {
        let run = try start(injecting: fault)
        let end = ContinuousClock.now + .seconds(30)
        while run.isRunning, ContinuousClock.now < end { usleep(20_000) }
        if run.isRunning, let process = Strace.processWithoutWakeUp(place.root) {
            _ = kill(process, SIGKILL)
            _ = try run.finish()
            return nil
        }
        return try run.finish()
    }

    /// Runs without faults until every photograph is done; one that was set aside is tried again.
    func recover() throws {
        try drain()
        let unfinished = try history().filter { $0["status"] as? String != "done" }.compactMap { $0["id"] as? Int }
        if unfinished.isEmpty { return }
        #expect(try place.run.start(["retry", "--state", "state"] + unfinished.map(String.init)).finish().code == 0)
        try drain()
    }

    func history() throws -> [[String: Any]] {
        try place.run("history", "--json", "--limit", "100000", "--state", "state").objects()
    }

    /// One life without faults.
    func peace() throws -> Peace {
        #expect(try drain().code == 0)
        return Peace(outputs: try place.contents("out"), state: try place.names("state"))
    }

    /// The invariants: an output for each photograph, whole and as it would have been; nothing else anywhere; a ledger
    /// that is whole, which each start checks, and says the same; originals untouched.
    func expectPeace(_ peace: Peace, after fault: some CustomStringConvertible) throws {
        #expect(try place.contents("in") == originals, "originals after \(fault)")
        #expect(try place.names("out") == peace.outputs.keys.sorted(), "outputs after \(fault)")
        #expect(try place.contents("out") == peace.outputs, "bytes of outputs after \(fault)")
        #expect(try place.names("state") == peace.state, "state folder after \(fault)")
        let rows = try history()
        let sources = rows.compactMap { ($0["source"] as? String).map { URL(filePath: $0).lastPathComponent } }
        #expect(sources.sorted() == originals.keys.sorted(), "photographs in the ledger after \(fault)")
        #expect(rows.allSatisfy { $0["status"] as? String == "done" }, "states in the ledger after \(fault)")
    }

    /// Every write of a life without faults.
    func writes() throws -> [FaultPoint] { FaultPoint.all(in: try calls(["-e", Strace.filter])) }

    /// Every end of a file of the service's own in a life without faults.
    func closes() throws -> [FaultPoint] {
        FaultPoint.closes(
            in: try calls(["-y", "-e", "trace=close"]), of: ["in", "out", "state"].map { place[$0].path })
    }

    /// What strace says of a life without faults.
    private func calls(_ options: [String]) throws -> String {
        let log = place["calls.log"].path
        let program = try #require(Program.executable).path
        let run = try Run(
            URL(filePath: Strace.path),
            ["-f", "-qq", "-o", log] + options + [program] + Self.service + ["--oneshot", "--model", place.model],
            in: place.root, environment: [:])
        #expect(try run.finish().code == 0)
        return try String(contentsOfFile: log, encoding: .utf8)
    }
}
