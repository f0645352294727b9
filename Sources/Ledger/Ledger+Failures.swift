import Foundation
import GRDB

/// When and how often a photograph that failed is tried again.
public struct RetryPolicy: Sendable, Equatable {
    /// Failures in a row after which it is quarantined; at least 1.
    public var maximumAttempts: Int
    /// Time before the second attempt; doubled after each further failure.
    public var backoff: Duration
    /// No pause is longer.
    static let longest = Duration.seconds(6 * 3600)

    public init(maximumAttempts: Int, backoff: Duration) {
        self.maximumAttempts = maximumAttempts
        self.backoff = backoff
    }

    /// The pause after so many failures in a row.
    public func pause(afterFailures failures: Int) -> Duration {
        // 2^20 minutes are two years; more doublings would only overflow.
        min(backoff * (1 << min(max(failures - 1, 0), 20)), Self.longest)
    }
}

/// What a failure led to.
public enum FailureEnd: Sendable, Equatable {
    /// The row is `failed` until it is tried again.
    case retry(after: Duration)
    /// The row is `quarantined`.
    case quarantined
    /// The row no longer waited: the file changed meanwhile.
    case withdrawn
}

/// A photograph that will be tried again by itself.
public struct PendingRetry: Sendable, Equatable {
    public var id: Int64
    /// By the wall clock, which may have jumped; never negative.
    public var remaining: Duration
}

extension Ledger {
    /// Records that an attempt failed, or that a queued photograph could not even be read.
    ///
    /// - Parameter policy: nil for what no further attempt can mend; it is quarantined at once.
    public func fail(_ id: Int64, reason: String, retry policy: RetryPolicy?) throws -> FailureEnd {
        try writing { database in
            let isOpen = try Bool.fetchOne(
                database,
                sql: "SELECT state IN ('queued', 'running', 'verifying') FROM photographs WHERE id = ?",
                arguments: [id])
            guard isOpen == true else { return .withdrawn }
            try endAttempt(id, outcome: "failed", reason: reason, database)
            try database.execute(
                sql: "DELETE FROM outputs WHERE photograph_id = ? AND published_at IS NULL", arguments: [id])
            let failures = try Int.fetchOne(
                database,
                sql: """
                    INSERT INTO retries (photograph_id, failures) VALUES (?, 1)
                    ON CONFLICT (photograph_id) DO UPDATE SET failures = failures + 1, due_at = NULL
                    RETURNING failures
                    """, arguments: [id])
            guard let policy, let failures, failures < policy.maximumAttempts else {
                let count = failures ?? 1
                try close(
                    id, as: .quarantined, reason: count > 1 ? "\(reason) (\(count) attempts)" : reason, database)
                return .quarantined
            }
            let pause = policy.pause(afterFailures: failures)
            try close(id, as: .failed, reason: reason, database)
            try database.execute(
                sql: "UPDATE retries SET due_at = ? WHERE photograph_id = ?",
                arguments: [Timestamp.text(now() + pause / .seconds(1)), id])
            return .retry(after: pause)
        }
    }

    /// The photographs that shall be tried again by themselves, soonest first.
    public func pendingRetries() throws -> [PendingRetry] {
        try reading { database in
            let moment = now()
            return try Row.fetchAll(
                database,
                sql: """
                    SELECT photograph_id, due_at FROM retries JOIN photographs ON id = photograph_id
                    WHERE due_at IS NOT NULL AND state = 'failed' ORDER BY due_at, id
                    """
            ).map { row in
                let due = Timestamp.date(row["due_at"]) ?? moment
                let remaining = Duration.seconds(max(due.timeIntervalSince(moment), 0))
                return PendingRetry(id: row["photograph_id"], remaining: min(remaining, RetryPolicy.longest))
            }
        }
    }

    /// Puts photographs whose pause is over at the end of the queue; those that nobody waits for any more stay.
    public func resume(_ ids: [Int64]) throws {
        try writing { database in
            for id in ids {
                let isDue = try Bool.fetchOne(
                    database,
                    sql: """
                        SELECT state = 'failed' AND due_at IS NOT NULL
                        FROM photographs JOIN retries ON photograph_id = id WHERE id = ?
                        """, arguments: [id])
                guard isDue == true else { continue }
                try requeue(id, database)
                try database.execute(sql: "UPDATE retries SET due_at = NULL WHERE photograph_id = ?", arguments: [id])
            }
        }
    }

    /// Puts photographs at the end of the queue again, with all their attempts before them.
    ///
    /// - Throws: `LedgerError` if a photograph is unknown or in a state that cannot be retried; then none is queued.
    public func retry(_ ids: [Int64]) throws {
        try writing { database in
            for id in ids {
                let state = try Self.state(of: id, database)
                guard let state else { throw unknown(id) }
                guard state.isRetryable else {
                    throw LedgerError(
                        .wrongState, subject: "photograph \(id)", cause: "it is \(state.rawValue)",
                        remedy: "only failed, quarantined, cancelled and skipped photographs can be retried")
                }
                try requeue(id, database)
                try forgetFailures(id, database)
            }
        }
    }

    /// Puts every failed photograph at the end of the queue again, oldest first.
    ///
    /// - Returns: their numbers.
    public func retryFailed() throws -> [Int64] {
        try retryAll(in: .failed)
    }

    /// As `retry`, of quarantined photographs only.
    ///
    /// - Parameter ids: nil for all.
    /// - Returns: the numbers of those that were queued.
    public func release(_ ids: [Int64]?) throws -> [Int64] {
        guard let ids else { return try retryAll(in: .quarantined) }
        try requireQuarantined(ids)
        try retry(ids)
        return ids
    }

    /// Ends quarantine for good: the rows become `skipped`, and the files stay where they are.
    ///
    /// - Parameter ids: nil for all.
    /// - Returns: the numbers of those that were given up.
    public func purge(_ ids: [Int64]?) throws -> [Int64] {
        if let ids { try requireQuarantined(ids) }
        return try writing { database in
            let given = try ids ?? Self.ids(in: .quarantined, database)
            for id in given {
                let reason = try String.fetchOne(
                    database, sql: "SELECT reason FROM photographs WHERE id = ?", arguments: [id])
                try close(id, as: .skipped, reason: "purged from quarantine: \(reason ?? "no reason")", database)
                try forgetFailures(id, database)
            }
            return given
        }
    }

    private func retryAll(in state: PhotographState) throws -> [Int64] {
        try writing { database in
            let ids = try Self.ids(in: state, database)
            for id in ids {
                try requeue(id, database)
                try forgetFailures(id, database)
            }
            return ids
        }
    }

    private func requireQuarantined(_ ids: [Int64]) throws {
        try reading { database in
            for id in ids {
                guard let state = try Self.state(of: id, database) else { throw unknown(id) }
                guard state == .quarantined else {
                    throw LedgerError(
                        .wrongState, subject: "photograph \(id)", cause: "it is \(state.rawValue), not quarantined",
                        remedy: "see `denoised quarantine list`")
                }
            }
        }
    }

    private static func ids(in state: PhotographState, _ database: Database) throws -> [Int64] {
        try Int64.fetchAll(
            database, sql: "SELECT id FROM photographs WHERE state = ? ORDER BY changed_at, id",
            arguments: [state.rawValue])
    }

    private static func state(of id: Int64, _ database: Database) throws -> PhotographState? {
        try String.fetchOne(database, sql: "SELECT state FROM photographs WHERE id = ?", arguments: [id])
            .flatMap(PhotographState.init)
    }

    private func requeue(_ id: Int64, _ database: Database) throws {
        try database.execute(
            sql: """
                UPDATE photographs SET state = 'queued', queue_position = \(Self.lastPosition), reason = NULL,
                    finished_at = NULL, changed_at = ?
                WHERE id = ?
                """, arguments: [Timestamp.text(now()), id])
    }

    func forgetFailures(_ id: Int64, _ database: Database) throws {
        try database.execute(sql: "DELETE FROM retries WHERE photograph_id = ?", arguments: [id])
    }
}
