/// Which of the equal parts of every layer's experts a rank holds.
package struct ExpertShard: Sendable, Equatable {
    package let number: Int
    package let expertParallelSize: Int

    /// Every expert.
    package static let all = ExpertShard(0, of: 1)

    package init(_ number: Int, of expertParallelSize: Int) {
        precondition(expertParallelSize > 0 && (0..<expertParallelSize).contains(number))
        self.number = number
        self.expertParallelSize = expertParallelSize
    }

    /// The experts it has in a layer of `count`, a multiple of `expertParallelSize`.
    package func experts(of count: Int) -> Range<Int> {
        precondition(
            count % expertParallelSize == 0, "\(count) experts cannot be cut into \(expertParallelSize) equal parts")
        let each = count / expertParallelSize
        return number * each..<(number + 1) * each
    }
}
