import Randomness

/// Assigns the numbers 0, 1, 2, … to sources in fixed proportions: number n is number j of source i, a pure function of n.
///
/// The sources are halved again and again. A node with the shares L on its left and T in all passes
/// ⌊(n·L + φ) / T⌋ of its first n numbers to the left, the others to the right (a Beatty sequence; φ < T is a phase). Of k sources,
/// each has had its part of any first n numbers to within ⌈log₂ k⌉, and of T numbers exactly its share.
struct MixtureOrder: Sendable {
    /// Sums of the shares of the sources before each, and of all.
    private let bounds: [UInt64]
    /// Of the node that halves at each source.
    private let phases: [UInt64]

    /// - Parameters:
    ///   - shares: of each source, above 0; at most 2^61 together
    ///   - phase: the phase of the node that halves at a source, below the sum of the node's shares
    init(shares: [UInt64], phase: (_ source: Int, _ bound: UInt64) -> UInt64 = { _, _ in 0 }) {
        precondition(!shares.isEmpty && shares.allSatisfy { $0 > 0 && $0 <= 1 << 61 })
        var bounds: [UInt64] = [0]
        for share in shares { bounds.append(bounds[bounds.count - 1] + share) }
        precondition(bounds[shares.count] <= 1 << 61)
        var phases = [UInt64](repeating: 0, count: shares.count)
        var nodes = [0..<shares.count]
        while let node = nodes.popLast() {
            guard let middle = node.middle else { continue }
            phases[middle] = phase(middle, bounds[node.upperBound] - bounds[node.lowerBound])
            nodes += [node.lowerBound..<middle, middle..<node.upperBound]
        }
        (self.bounds, self.phases) = (bounds, phases)
    }

    /// Which number of which source number `n` is, O(log sources).
    func place(of n: Int) -> (source: Int, number: Int) {
        var node = 0..<phases.count, n = n
        while let middle = node.middle {
            let left = numbersOnTheLeft(of: n, node, middle)
            if numbersOnTheLeft(of: n + 1, node, middle) > left {
                (node, n) = (node.lowerBound..<middle, left)
            } else {
                (node, n) = (middle..<node.upperBound, n - left)
            }
        }
        return (node.lowerBound, n)
    }

    /// How many of the first `n` numbers each source has, O(sources).
    func counts(ofFirst n: Int) -> [Int] { counts(n, in: 0..<phases.count) }

    private func counts(_ n: Int, in node: Range<Int>) -> [Int] {
        guard let middle = node.middle else { return [n] }
        let left = numbersOnTheLeft(of: n, node, middle)
        return counts(left, in: node.lowerBound..<middle) + counts(n - left, in: middle..<node.upperBound)
    }

    private func numbersOnTheLeft(of n: Int, _ node: Range<Int>, _ middle: Int) -> Int {
        let start = bounds[node.lowerBound]
        let left = UInt128(bounds[middle] - start), all = UInt128(bounds[node.upperBound] - start)
        return Int((UInt128(n) * left + UInt128(phases[middle])) / all)
    }
}

extension Range<Int> {
    /// Where the range is halved; nil of one element.
    fileprivate var middle: Int? { count > 1 ? lowerBound + count / 2 : nil }
}
