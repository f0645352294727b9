import Foundation
import GRDB
import Ledger
import SystemPackage
import Testing

@Suite struct HistoryTests {
    /// Four photographs, an hour between them: two cameras, one failure, one waiting.
    private func filled(_ folder: LedgerFolder) throws -> Ledger {
        let ledger = try folder.open()
        _ = try ledger.complete("/in/1.dng", content: digest("1"))
        folder.advance(by: 3600)
        var nikon = OutputRecord.at("/out/2.tiff", metrics: ["noise_before": 20, "noise_after": 2, "seconds": 60])
        nikon.camera = "NIKON Z 6"
        nikon.iso = 12800
        _ = try ledger.complete("/in/2.dng", content: digest("2"), output: nikon)
        folder.advance(by: 3600)
        _ = try ledger.fail(try ledger.queue("/in/3.dng"), reason: "not a photograph", retry: .patient)
        folder.advance(by: 3600)
        _ = try ledger.queue("/in/4.dng")
        return ledger
    }

    private func sources(_ ledger: Ledger, _ filter: HistoryFilter) throws -> [String] {
        try ledger.history(filter).map { $0.source.replacing("/in/", with: "") }
    }

    @Test func theLatestChangeComesFirst() throws {
        let folder = try LedgerFolder()
        #expect(try sources(try filled(folder), HistoryFilter()) == ["4.dng", "3.dng", "2.dng", "1.dng"])
    }

    @Test func filtersRestrict() throws {
        let folder = try LedgerFolder()
        let ledger = try filled(folder)
        #expect(try sources(ledger, HistoryFilter(limit: 2)) == ["4.dng", "3.dng"])
        #expect(try sources(ledger, HistoryFilter(status: .failed)) == ["3.dng"])
        #expect(try sources(ledger, HistoryFilter(camera: "nikon")) == ["2.dng"])
        #expect(try sources(ledger, HistoryFilter(camera: "n")) == ["2.dng", "1.dng"])
        #expect(try sources(ledger, HistoryFilter(camera: "Leica")) == [])
        #expect(try sources(ledger, HistoryFilter(isoMinimum: 6400)) == ["2.dng"])
        #expect(
            try sources(ledger, HistoryFilter(status: .done, camera: "canon", isoMinimum: 100, limit: 5)) == ["1.dng"])
        let moment = Date(timeIntervalSince1970: 1_800_000_000 + 5000)
        #expect(try sources(ledger, HistoryFilter(since: moment)) == ["4.dng", "3.dng"])
    }

    @Test func countsNameEveryState() throws {
        let folder = try LedgerFolder()
        let counts = try filled(folder).counts()
        #expect(counts.count == PhotographState.allCases.count)
        #expect(counts[.done] == 2)
        #expect(counts[.cancelled] == 0)
        #expect(try filled(try LedgerFolder()).count(of: .queued) == 1)
    }

    @Test func statisticsAddUp() throws {
        let folder = try LedgerFolder()
        let statistics = try filled(folder).statistics()
        #expect(statistics.seconds == 60)
        // Exact: means of two numbers that binary fractions hold.
        #expect(statistics.noiseBefore == 16.25)
        #expect(statistics.cameras.map(\.name) == ["Canon EOS R5", "NIKON Z 6"])
    }

    /// The README's six queries, as they stand there.
    static let queries = [
        """
        SELECT id, source, noise_before, noise_after, finished_at FROM history
        WHERE status = 'done' ORDER BY finished_at DESC LIMIT 20;
        """,
        """
        SELECT id, source, reason, attempts FROM history
        WHERE status IN ('failed', 'quarantined') ORDER BY changed_at DESC;
        """,
        """
        SELECT camera, iso, count(*) AS photographs, round(avg(noise_before), 2) AS noise_before,
               round(avg(noise_after), 2) AS noise_after
        FROM history WHERE status = 'done' GROUP BY camera, iso ORDER BY camera, iso;
        """,
        """
        SELECT date(finished_at) AS day, count(*) AS photographs, round(sum(seconds) / 3600, 1) AS hours,
               round(sum(megapixels) / sum(seconds), 2) AS megapixels_per_second
        FROM history WHERE status = 'done' GROUP BY day ORDER BY day DESC LIMIT 30;
        """,
        """
        SELECT models.name, models.hash, count(*) AS photographs, round(avg(value), 3) AS residual_structure
        FROM metrics JOIN photographs ON photographs.id = photograph_id JOIN models ON models.id = model_id
        WHERE metrics.name = 'residual_structure' GROUP BY models.id;
        """,
        """
        SELECT judged_at, ifnull(camera, 'all') AS camera, candidate, iif(is_promoted, 'promoted', 'refused') AS verdict, reason
        FROM trials ORDER BY id DESC LIMIT 20;
        """,
    ]

    @Test(arguments: queries) func documentedQueriesWork(query: String) throws {
        let folder = try LedgerFolder()
        let ledger = try filled(folder)
        _ = try ledger.complete(
            "/in/5.dng", content: digest("5"), output: .at("/out/5.tiff", metrics: ["residual_structure": 0.1]))
        try ledger.record(
            ModelTrial(
                candidate: nil, candidateHash: nil, parent: "denoised", parentHash: digest("b"), isPromoted: false,
                reason: "too few captures", figures: [:]))
        let rows = try folder.sql { try Row.fetchAll($0, sql: query).count }
        #expect(rows > 0)
    }
}
