import Foundation
import Ledger

/// Keeps asking a ledger that is locked by another program or whose disk is full, so that no photograph is lost to
/// that: the service says why it stands still, and goes on by itself.
struct LedgerPatience: Sendable {
    let progress: ServiceProgress
    let isStopping: @Sendable () -> Bool
    /// Between two attempts; a locked ledger has been waited for before that already.
    var pause: @Sendable () -> Void = { Thread.sleep(forTimeInterval: 1) }

    /// - Throws: what `body` throws, if it does not pass or the service stops.
    func insist<Value>(_ body: () throws -> Value) throws -> Value {
        while true {
            do {
                let value = try body()
                progress.warn("ledger", nil)
                return value
            } catch let error as LedgerError where error.isPassing && !isStopping() {
                progress.warn("ledger", "\(error)")
                pause()
            }
        }
    }
}
