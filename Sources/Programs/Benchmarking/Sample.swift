import Diagnostics
import RunFormat

/// What repeated measurements of one thing gave: never one run alone.
package struct Sample: Codable, Sendable, Equatable {
    package var median: Double
    package var lowest: Double
    package var highest: Double
    package var count: Int

    /// - Parameter values: at least one
    package init(_ values: [Double]) {
        precondition(!values.isEmpty)
        let sorted = values.sorted(), middle = sorted.count / 2
        median = sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
        lowest = sorted[0]
        highest = sorted[sorted.count - 1]
        count = sorted.count
    }

    /// The sample of `amount / value`, for example bytes a second from seconds.
    package func rate(of amount: Double) -> Sample {
        var result = self
        (result.median, result.lowest, result.highest) = (amount / median, amount / highest, amount / lowest)
        return result
    }

    /// Half the distance between highest and lowest over the median.
    package var spread: Double { median == 0 ? 0 : (highest - lowest) / 2 / median }
}

/// Seconds of one call of `body`, by several rounds of as many calls as fill `seconds`, after one call that does not
/// count.
package func secondsPerCall(repetitions: Int = 5, filling seconds: Double = 0.02, _ body: () -> Void) -> Sample {
    let clock = ContinuousClock()
    func time(_ calls: Int) -> Double {
        let start = clock.now
        for _ in 0..<calls { body() }
        return (clock.now - start) / .seconds(1)
    }
    body()
    let first = max(time(1), 1e-9), calls = max(1, Int((seconds / first).rounded(.up)))
    return Sample((0..<repetitions).map { _ in time(calls) / Double(calls) })
}

/// `254 GFLOP/s`
package func gigaflops(_ rate: Double) -> String { "\(decimals(rate / 1e9, 0)) GFLOP/s" }

/// `73 %`
package func percent(_ share: Double) -> String { "\(decimals(100 * share, 0)) %" }
