import Foundation
import Testing

extension EndToEnd {
    /// A disk as a loss of power leaves it: what the kernel had not written yet is gone.
    ///
    /// The service works on a file system inside a file. A copy of that file holds what had been written to the disk at
    /// that moment, and nothing of the kernel's memory.
    @Suite(.timeLimit(.minutes(Soak.isOn ? 60 : 5))) struct PowerLossTests {
        static let isPossible =
            geteuid() == 0 && ["/usr/sbin/mkfs.ext4", "/dev/loop-control"].allSatisfy(FileManager.default.fileExists)

        private let life: FaultPlace
        private var place: Workplace { life.place }

        init() throws { life = try FaultPlace(3) }

        /// Runs a script with the file system in `image` as the folder "disk".
        private func start(on image: String, _ script: String) throws -> Run {
            try place.folder("disk")
            return try Run(
                URL(filePath: "/usr/bin/unshare"),
                ["-m", "/bin/sh", "-c", "mount -o loop \(image) disk && \(script)"], in: place.root,
                environment: [:])
        }

        /// The service on that disk; `exec` lets signals reach it.
        private func service() throws -> String {
            let program = try #require(Program.executable).path
            let words = FaultPlace.service.map {
                ["in", "out", "state"].contains($0) ? "\(place["disk/\($0)"].path)" : $0
            }
            return ([program] + words + ["--oneshot", "--model", place.model]).joined(separator: " ")
        }

        private func disk() throws {
            try Data().write(to: place["disk.img"])
            let file = try FileHandle(forWritingTo: place["disk.img"])
            try file.truncate(atOffset: 48 << 20)
            try file.close()
            let made = try Run(
                URL(filePath: "/usr/sbin/mkfs.ext4"), ["-q", "-F", "disk.img"], in: place.root, environment: [:])
            #expect(try made.finish().code == 0)
            #expect(try start(on: "disk.img", "cp -r in disk/ && sync").finish().code == 0)
        }

        @Test(.enabled(if: isPossible, "only root may mount a disk"))
        func whatIsDoneIsOnTheDiskWheneverThePowerGoes() throws {
            try disk()
            // The same paths, or the recipe's staging folder would have another name.
            try FileManager.default.copyItem(at: place["disk.img"], to: place["peace.img"])
            #expect(
                try start(on: "peace.img", "\(try service()) && cp -r disk/out peace").finish().code == 0)
            let peace = try place.contents("peace").filter { !$0.key.hasPrefix(".") }
            #expect(peace.count == 3)
            let moments = Soak.count(6, soaking: 120)
            var random = Sequence(seed: Soak.seed(5))
            for moment in 0..<moments {
                try FileManager.default.copyItem(at: place["disk.img"], to: place["work.img"])
                let run = try start(on: "work.img", "exec \(try service())")
                usleep(UInt32(150_000 + random.below(900_000)))
                run.signal(SIGSTOP)
                try FileManager.default.copyItem(at: place["work.img"], to: place["after.img"])
                run.signal(SIGCONT)
                #expect(try run.finish().code == 0)
                let again = try start(
                    on: "after.img",
                    "\(try service()); rm -rf result && mkdir result && cp -r disk/in disk/out disk/state result/")
                let outcome = try again.finish()
                #expect(outcome.code == 0, "\(outcome.errors)")
                #expect(!outcome.errors.contains("damaged"), "moment \(moment): \(outcome.errors)")
                #expect(try place.contents("result/in") == life.originals)
                #expect(try place.contents("result/out") == peace, "moment \(moment)")
                let rows = try place.run("history", "--json", "--state", "result/state").objects()
                #expect(rows.count == 3 && rows.allSatisfy { $0["status"] as? String == "done" })
                for name in ["work.img", "after.img"] { try FileManager.default.removeItem(at: place[name]) }
            }
        }
    }
}
