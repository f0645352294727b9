import Foundation
import Glibc

/// Seconds of each stage of one photograph.
struct StageClock {
    private var seconds: [String: Double] = [:]
    private var last = ContinuousClock.now

    /// Counts the time since the previous call for `stage`.
    mutating func finish(_ stage: String) {
        let now = ContinuousClock.now
        seconds[stage, default: 0] += (now - last).seconds
        last = now
    }

    /// `seconds`, `seconds_STAGE`, `megapixels`, `megapixels_per_second` and `peak_mib`.
    func metrics(megapixels: Double) -> [String: Double] {
        var metrics = Dictionary(uniqueKeysWithValues: seconds.map { ("seconds_\($0)", $1) })
        let total = seconds.values.reduce(0, +)
        metrics["seconds"] = total
        metrics["megapixels"] = megapixels
        metrics["megapixels_per_second"] = megapixels / total
        metrics["peak_mib"] = peakMemory
        return metrics
    }
}

extension Duration {
    /// The whole duration in seconds.
    public var seconds: Double { self / .seconds(1) }
}

/// The process's largest resident size so far, in MiB.
public var peakMemory: Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return Double(usage.ru_maxrss) / 1024
}
