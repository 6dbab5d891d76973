/// Which of the equal parts of every layer's experts a rank holds.
package struct ExpertShare: Sendable, Equatable {
    package let number: Int
    package let parts: Int

    /// Every expert.
    package static let all = ExpertShare(0, of: 1)

    package init(_ number: Int, of parts: Int) {
        precondition(parts > 0 && (0..<parts).contains(number))
        self.number = number
        self.parts = parts
    }

    /// The experts it has in a layer of `count`, a multiple of `parts`.
    package func experts(of count: Int) -> Range<Int> {
        precondition(count % parts == 0, "\(count) experts cannot be cut into \(parts) equal parts")
        let each = count / parts
        return number * each..<(number + 1) * each
    }
}
