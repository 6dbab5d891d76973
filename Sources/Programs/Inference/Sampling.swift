import Platform
import Randomness
package import Tensors

/// How the next token is chosen from its logits.
package struct Sampling: Sendable {
    /// Logits are divided by it; 0 takes the most likely token.
    package var temperature: Double
    /// Only this many of the most likely tokens can be chosen; 0: all.
    package var top: Int
    package var seed: UInt64

    package init(temperature: Double, top: Int, seed: UInt64) {
        self.temperature = temperature
        self.top = top
        self.seed = seed
    }

    /// A pure function of the logits, the seed and the position.
    /// - Parameters:
    ///   - logits: `[1, vocabulary]`
    ///   - allowed: tokens that the tokenizer knows; a model's vocabulary may be larger
    package func choose(_ logits: Tensor, allowed: Int, position: Int) -> Int {
        let ranked = RankedTokens(logits, count: min(allowed, logits.columns)), best = ranked.first
        guard temperature > 0 else { return best.token }
        func weight(_ candidate: RankedTokens.Candidate) -> Double {
            exp((Double(candidate.logit) - Double(best.logit)) / temperature)
        }
        func sum(_ candidates: some Sequence<RankedTokens.Candidate>) -> Double {
            candidates.reduce(0) { $0 + weight($1) }
        }
        let total = top > 0 ? sum(ranked.prefix(top)) : sum(ranked.unordered)
        var left = RandomFunction(seed: seed, purpose: .sampling).uniform(UInt64(position)) * total
        var last = best
        for candidate in ranked.prefix(top > 0 ? top : .max) {
            last = candidate
            left -= weight(candidate)
            if left <= 0 { break }
        }
        return last.token
    }
}

/// Tokens from the most likely on, equal ones in ascending order, each found when it is asked for: a binary heap of those that
/// remain. The first k of n take O(n + k log n).
private struct RankedTokens: Sequence, IteratorProtocol {
    struct Candidate {
        let token: Int
        let logit: Float

        func precedes(_ other: Candidate) -> Bool { (logit, other.token) > (other.logit, token) }
    }

    /// Those that remain; none precedes its parent, that of place i being at (i − 1) / 2.
    private(set) var unordered: [Candidate]

    /// - Parameters:
    ///   - logits: `[1, vocabulary]`
    ///   - count: of the first tokens, which take part; at least 1
    init(_ logits: Tensor, count: Int) {
        unordered = (0..<count).map { Candidate(token: $0, logit: logits[0, $0]) }
        for place in (0..<count / 2).reversed() { sink(from: place) }
    }

    var first: Candidate { unordered[0] }

    mutating func next() -> Candidate? {
        guard let last = unordered.popLast() else { return nil }
        guard let first = unordered.first else { return last }
        unordered[0] = last
        sink(from: 0)
        return first
    }

    /// Lets what is at a place change with a child that precedes it, and again, until none does.
    private mutating func sink(from place: Int) {
        var place = place
        while true {
            var foremost = place
            let children = 2 * place + 1...2 * place + 2
            for child in children where child < unordered.count && unordered[child].precedes(unordered[foremost]) {
                foremost = child
            }
            guard foremost != place else { return }
            unordered.swapAt(place, foremost)
            place = foremost
        }
    }
}
