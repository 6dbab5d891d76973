package import Tensors

/// A moment of the optimizer: a number for every parameter in some stretches of the arenas, and memory for no others.
package struct Moment: Sendable {
    /// Ascending and disjoint.
    package let ranges: [Range<Int>]
    private let starts: [Int]
    private let values: Vector<Float>

    package init(over ranges: [Range<Int>]) {
        self.ranges = ranges
        starts = ranges.reduce(into: [0]) { $0.append($0.last! + $1.count) }
        values = Vector(count: starts.last!)
    }

    package var count: Int { values.count }

    /// What of `others` it has numbers for; ascending, if these are.
    package func ranges(in others: [Range<Int>]) -> [Range<Int>] {
        others.flatMap { other in ranges.map { $0.clamped(to: other) } }.filter { !$0.isEmpty }
    }

    /// The numbers of the arenas' elements `range`, which lie in one stretch.
    package subscript(range: Range<Int>) -> Vector<Float> {
        let index = ranges.firstIndex { $0.lowerBound <= range.lowerBound && range.upperBound <= $0.upperBound }
        guard let index else { preconditionFailure("elements \(range) lie in none of \(ranges)") }
        let start = starts[index] + range.lowerBound - ranges[index].lowerBound
        return values[start..<start + range.count]
    }
}
