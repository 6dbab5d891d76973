import Tensors
import Testing
import Workers

/// Runs `compute` with 1, 2 and 3 threads, expects the same bits each time, and returns them.
func sameOnAnyThreads(
    _ compute: (Workers) -> [Tensor], _ what: @autoclosure () -> String = "",
    sourceLocation: SourceLocation = #_sourceLocation
) -> [Tensor] {
    let results = teams.map(compute)
    for other in results.dropFirst() {
        let isSame = zip(results[0], other).allSatisfy { hasSameBits($0, $1) }
        #expect(isSame, "bits depend on the number of threads: \(what())", sourceLocation: sourceLocation)
    }
    return results[0]
}

/// `count` is 1, 2 and 3.
private var teams: [Workers] { (1...3).map { Workers(count: $0) } }

private func hasSameBits(_ a: Tensor, _ b: Tensor) -> Bool {
    (0..<a.rows).allSatisfy { r in
        (0..<a.columns).allSatisfy { a[r, $0].bitPattern == b[r, $0].bitPattern }
    }
}

/// Expects every tensor to deviate from its oracle by at most `bound`, relative to the oracle's largest magnitude, and
/// returns the largest deviation.
@discardableResult
func expectClose(
    _ found: [Tensor], _ expected: [Matrix], within bound: Double, _ what: @autoclosure () -> String = "",
    sourceLocation: SourceLocation = #_sourceLocation
) -> Double {
    var worst = 0.0
    for (index, (tensor, oracle)) in zip(found, expected).enumerated() {
        let deviation = oracle.deviation(of: tensor)
        worst = max(worst, deviation)
        #expect(
            deviation <= bound, "result \(index) deviates by \(deviation): \(what())", sourceLocation: sourceLocation)
    }
    return worst
}
