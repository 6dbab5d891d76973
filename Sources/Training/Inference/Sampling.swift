import Randomness
import Tensors

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

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
    func choose(_ logits: Tensor, allowed: Int, position: Int) -> Int {
        var ranked = (0..<min(allowed, logits.columns)).map { (token: $0, logit: Double(logits[0, $0])) }
        ranked.sort { ($0.logit, $1.token) > ($1.logit, $0.token) }
        guard temperature > 0 else { return ranked[0].token }
        if top > 0 { ranked = Array(ranked.prefix(top)) }
        let weights = ranked.map { exp(($0.logit - ranked[0].logit) / temperature) }
        let random = RandomFunction(seed: seed, purpose: .sampling)
        var left = random.uniform(UInt64(position)) * weights.reduce(0, +)
        for (candidate, weight) in zip(ranked, weights) {
            left -= weight
            if left <= 0 { return candidate.token }
        }
        return ranked.last!.token
    }
}
