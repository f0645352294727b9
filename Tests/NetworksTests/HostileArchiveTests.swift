import Tensors
import TestSupport
import Testing

@testable import Networks

/// Zip archives that lie about themselves.
@Suite struct HostileArchiveTests {
    /// Why the archive is refused.
    static func refusal(_ change: (inout ZipBuilder) -> Void) throws -> String {
        var archive = ZipBuilder.honest
        change(&archive)
        let error = #expect(throws: CheckpointError.self) { try TorchCheckpoint(archive.bytes) }
        let text = try #require(error).description
        #expect(text.hasPrefix("not a valid torch checkpoint: ") && !text.contains("\n"), "\(text)")
        return text
    }

    @Test func honestArchivesAreRead() throws {
        let expected: [String: [Float]] = ["a": [1, 2, 3, 4, 5, 6]]
        var archive = ZipBuilder.honest
        #expect(try TorchCheckpoint(archive.bytes).stateDictionary().mapValues(\.values) == expected)
        archive.zip64End = { _ in }
        #expect(try TorchCheckpoint(archive.bytes).stateDictionary().mapValues(\.values) == expected)
        // Sizes after the data, and sizes in the zip64 field, as archives of more than 4 GiB have them.
        archive.entries[2].both { $0.flags = 8 }
        archive.entries[2].own.checksum = 0
        archive.entries[2].own.size = 0
        archive.entries[2].own.storedSize = 0
        archive.entries[2].directory.size = 0xFFFF_FFFF
        archive.entries[2].directory.storedSize = 0xFFFF_FFFF
        archive.entries[2].directory.extra = little(1, 2) + little(16, 2) + little(24, 8) + little(24, 8)
        archive.end = { ($0.count, $0.size, $0.offset) = (0xFFFF, 0xFFFF_FFFF, 0xFFFF_FFFF) }
        #expect(try TorchCheckpoint(archive.bytes).stateDictionary().mapValues(\.values) == expected)
    }

    @Test(arguments: ["../x", "/x", "archive/../../x", "archive//x", "archive/./x", "a\\x", "", "archive/", "a\nb"])
    func namesThatLeaveTheArchiveAreRefused(name: String) throws {
        #expect(try Self.refusal { $0.entries.append(.init(name, [1])) }.contains("name that leaves the archive"))
    }

    @Test func twoEntriesOfOneNameAreRefused() throws {
        #expect(try Self.refusal { $0.entries.append($0.entries[2]) }.contains("two entries are named archive/data/0"))
    }

    @Test func compressedAndEncryptedEntriesAreRefused() throws {
        #expect(try Self.refusal { $0.entries[2].both { $0.method = 8 } }.contains("is compressed"))
        #expect(try Self.refusal { $0.entries[2].own.method = 8 }.contains("contradicts the directory"))
        #expect(try Self.refusal { $0.entries[2].both { $0.flags = 1 } }.contains("is encrypted"))
        #expect(try Self.refusal { $0.entries[2].both { $0.flags = 0x40 } }.contains("is encrypted"))
        #expect(try Self.refusal { $0.entries[2].both { $0.flags = 0x10 } }.contains("unknown features"))
    }

    @Test func overlappingEntriesAreRefused() throws {
        // One entry that holds another, and one that two names share.
        #expect(
            try Self.refusal {
                $0.entries[2].both {
                    $0.size = 300; $0.storedSize = 300
                }
            }.contains("beyond the data"))
        let shared = try Self.refusal {
            var second = $0.entries[0]
            second.isOnlyListed = true
            second.offset = 0
            second.both { $0.name = Array("archive/data/1".utf8) }
            $0.entries.append(second)
        }
        #expect(shared.contains("overlaps another") || shared.contains("contradicts the directory"))
        let nested = try Self.refusal {
            $0.entries[0].both {
                $0.size += 40; $0.storedSize += 40
            }
        }
        #expect(nested.contains("overlaps another"))
    }

    @Test(arguments: [1, 7, 1 << 20, 0xFFFF_FFFE]) func entriesOutsideOfTheFileAreRefused(offset: Int) throws {
        #expect(!(try Self.refusal { $0.entries[2].offset = offset }.isEmpty))
    }

    @Test func wrongSizesAndChecksumsAreRefused() throws {
        #expect(try Self.refusal { $0.entries[2].both { $0.checksum ^= 1 } }.contains("does not have its checksum"))
        #expect(try Self.refusal { $0.entries[2].own.checksum ^= 1 }.contains("contradicts the directory"))
        #expect(try Self.refusal { $0.entries[2].data[5] ^= 1 }.contains("does not have its checksum"))
        #expect(try Self.refusal { $0.entries[2].both { $0.size = 20 } }.contains("two sizes"))
        #expect(try Self.refusal { $0.entries[2].own.size = 20 }.contains("contradicts the directory"))
        #expect(
            try Self.refusal {
                $0.entries[2].both {
                    $0.size = 20; $0.storedSize = 20
                }
            }.contains("checksum"))
        #expect(
            try Self.refusal {
                $0.entries[2].both {
                    $0.size = 0xFFFF_FFFF; $0.storedSize = 0xFFFF_FFFF
                }
            }
            .contains("lacks its zip64 sizes"))
    }

    @Test func zip64LiesAreRefused() throws {
        func sizes(_ size: Int, _ stored: Int) throws -> String {
            try Self.refusal {
                $0.entries[2].both {
                    $0.size = 0xFFFF_FFFF; $0.storedSize = 0xFFFF_FFFF
                }
                $0.entries[2].directory.extra = little(1, 2) + little(16, 2) + little(size, 8) + little(stored, 8)
            }
        }
        #expect(try sizes(1 << 40, 1 << 40).contains("beyond the data"))
        #expect(try sizes(.max, .max).contains("beyond the data"))
        #expect(try sizes(-1, -1).contains("more than 63 bits"))
        #expect(try sizes(24, 25).contains("two sizes"))
        #expect(try Self.refusal { $0.zip64End = { $0.count += 1 } }.contains("contradict each other"))
        #expect(try Self.refusal { $0.zip64End = { $0.offset -= 1 } }.contains("contradict each other"))
        #expect(try Self.refusal { $0.zip64End = { $0.record -= 1 } }.contains("zip64 end"))
        #expect(try Self.refusal { $0.zip64End = { $0.record = .max } }.contains("zip64 end"))
        #expect(
            try Self.refusal {
                $0.zip64End = { $0.size = .max }
                $0.end = { $0.size = 0xFFFF_FFFF }
            }.contains("does not lie where its end says"))
        #expect(
            try Self.refusal {
                $0.zip64End = { $0.count = 1 << 50 }
                $0.end = { $0.count = 0xFFFF }
            }.contains("does not lie where its end says"))
    }

    @Test func endsThatLieAreRefused() throws {
        #expect(try Self.refusal { $0.end = { $0.count = 60_000 } }.contains("does not lie where its end says"))
        #expect(try Self.refusal { $0.end = { $0.count -= 1 } }.contains("more than its entries"))
        #expect(try Self.refusal { $0.end = { $0.offset += 1 } }.contains("does not lie where its end says"))
        #expect(try Self.refusal { $0.end = { $0.size = 0 } }.contains("does not lie where its end says"))
    }

    @Test func archivesOfOtherThingsAreRefused() throws {
        #expect(try Self.refusal { $0.entries.removeFirst() }.contains("0 files data.pkl"))
        #expect(try Self.refusal { $0.entries.append(.init("other/data.pkl", [0])) }.contains("2 files data.pkl"))
        #expect(try Self.refusal { $0 = ZipBuilder(pickle: [], byteOrder: "big") }.contains("not little-endian"))
    }
}
