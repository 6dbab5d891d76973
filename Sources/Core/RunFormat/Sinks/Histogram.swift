/// How values are spread: their number in each of some intervals of equal width.
struct Histogram: Sendable, Equatable {
    let least, greatest, sum, sumOfSquares: Double
    /// The upper end of each interval; the first begins at 0.
    let limits: [Double]
    let counts: [Int]

    /// Enough to tell a tenth of the mean from two, and no more than this many where one value is far above the others.
    private static let width = 0.1, mostIntervals = 40

    var count: Int { counts.reduce(0, +) }

    /// - Parameter values: from 0 on, finite
    init(of values: [Double]) {
        least = values.min() ?? 0
        greatest = values.max() ?? 0
        sum = values.reduce(0, +)
        sumOfSquares = values.reduce(0) { $0 + $1 * $1 }
        let width = max(Self.width, greatest / Double(Self.mostIntervals))
        let intervals = max(1, Int((greatest / width).rounded(.up)))
        limits = (1...intervals).map { Double($0) * width }
        var counts = [Int](repeating: 0, count: intervals)
        // A value at the end of an interval belongs to it, as TensorFlow counts.
        for value in values { counts[min(max(Int((value / width).rounded(.up)) - 1, 0), intervals - 1)] += 1 }
        self.counts = counts
    }
}
