import Foundation
import Inference
import Kernels
import Model
import Parallelism
import Randomness
import Tensors
import Testing

struct SamplingTests {
    /// The definition: all tokens sorted, the most likely kept, weights walked through until the random share is used up.
    private func naive(_ sampling: Sampling, _ logits: Tensor, allowed: Int, position: Int) -> Int {
        var ranked = (0..<min(allowed, logits.columns)).map { (token: $0, logit: Double(logits[0, $0])) }
        ranked.sort { ($0.logit, $1.token) > ($1.logit, $0.token) }
        guard sampling.temperature > 0 else { return ranked[0].token }
        if sampling.top > 0 { ranked = Array(ranked.prefix(sampling.top)) }
        let weights = ranked.map { exp(($0.logit - ranked[0].logit) / sampling.temperature) }
        let random = RandomFunction(seed: sampling.seed, purpose: .sampling)
        var left = random.uniform(UInt64(position)) * weights.reduce(0, +)
        for (candidate, weight) in zip(ranked, weights) {
            left -= weight
            if left <= 0 { return candidate.token }
        }
        return ranked.last!.token
    }

    /// Logits on a coarse grid, so that many are equal.
    private func logits(_ count: Int, levels: UInt64) -> Tensor {
        let random = RandomFunction(seed: 5, purpose: .tests, stream: UInt64(count)),
            logits = Tensor(rows: 1, columns: count)
        for i in 0..<count { logits[0, i] = Float(random.integer(UInt64(i), below: levels)) / 8 - 3 }
        return logits
    }

    @Test(arguments: [1, 2, 3, 64, 1001], [1, 9, 1 << 20] as [UInt64]) func choosesWhatSortingChooses(
        count: Int, levels: UInt64
    ) {
        let logits = logits(count, levels: levels)
        for temperature in [0, 0.2, 1, 30] {
            for top in [0, 1, 5, 2000] {
                let sampling = Sampling(temperature: temperature, top: top, seed: 9)
                for position in 0..<20 {
                    for allowed in [count, max(1, count - 7), count + 3] {
                        let expected = naive(sampling, logits, allowed: allowed, position: position)
                        #expect(sampling.choose(logits, allowed: allowed, position: position) == expected)
                    }
                }
            }
        }
    }

    /// Tokens come as often as their weights say: 1, 1/2 and 1/4 of 7/4.
    @Test func followsTheWeights() {
        let logits = Tensor(rows: 1, columns: 4), draws = 4000
        for (i, logit) in [log(0.25), 0, -9, log(0.5)].enumerated() { logits[0, i] = Float(logit) }
        let sampling = Sampling(temperature: 1, top: 3, seed: 1)
        var counts = [0, 0, 0, 0]
        for position in 0..<draws { counts[sampling.choose(logits, allowed: 4, position: position)] += 1 }
        for (count, share) in zip(counts, [1.0 / 7, 4.0 / 7, 0, 2.0 / 7]) {
            #expect(abs(Double(count) / Double(draws) - share) < 0.03)
        }
    }
}
