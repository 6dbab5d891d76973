import Tensors
import Testing
import Threading

/// Runs `compute` with 1, 2 and 3 threads, expects the same bits each time, and returns them.
func sameOnAnyThreads(
    _ compute: (ThreadPool) -> [Tensor], _ what: @autoclosure () -> String = "",
    sourceLocation: SourceLocation = #_sourceLocation
) -> [Tensor] {
    // One team after the other: idle ones spin.
    let results = (1...3).map { compute(ThreadPool(count: $0)) }
    for other in results.dropFirst() {
        let isSame = zip(results[0], other).allSatisfy { hasSameBits($0, $1) }
        #expect(isSame, "bits depend on the number of threads: \(what())", sourceLocation: sourceLocation)
    }
    return results[0]
}

private func hasSameBits(_ a: Tensor, _ b: Tensor) -> Bool {
    (0..<a.rows).allSatisfy { r in
        (0..<a.columns).allSatisfy { a[r, $0].bitPattern == b[r, $0].bitPattern }
    }
}

/// Expects every tensor to deviate from its oracle by at most `bound`, relative to the oracle's largest magnitude, and by
/// what `allowances`, one for each tensor, let its elements err besides.
/// - Returns: the largest share of its bound that an element's deviation takes
@discardableResult
func expectClose(
    _ found: [Tensor], _ expected: [Doubles], within bound: Double, allowances: [Doubles]? = nil,
    _ what: @autoclosure () -> String = "", sourceLocation: SourceLocation = #_sourceLocation
) -> Double {
    precondition(found.count == expected.count && allowances.map { $0.count == found.count } ?? true)
    var worst = 0.0
    for (index, (tensor, oracle)) in zip(found, expected).enumerated() {
        let share = oracle.deviation(of: tensor, within: bound, allowance: allowances?[index])
        worst = max(worst, share)
        #expect(
            share <= 1, "result \(index) deviates by \(share) of its bound: \(what())", sourceLocation: sourceLocation)
    }
    return worst
}

/// `expectClose` for results that were rounded to a precision at their end.
@discardableResult
func expectClose(
    _ found: [Tensor], _ expected: [Doubles], within bound: Double, roundedTo precision: Precision,
    _ what: @autoclosure () -> String = "", sourceLocation: SourceLocation = #_sourceLocation
) -> Double {
    expectClose(
        found, expected, within: bound, allowances: expected.map { precision.halfUnit * $0.magnitudes },
        "\(what()) \(precision)", sourceLocation: sourceLocation)
}
