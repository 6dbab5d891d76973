import Randomness
import Tensors

/// What one micro-batch's routing in one layer adds to the loss and to the records.
package struct RoutingStatistics: Sendable {
    /// `X·Σ_e f_e·P_e`; 1 when tokens are spread evenly. Fedus et al. (arXiv:2101.03961), equation 4.
    package var loadBalance = 0.0
    /// `mean_t (logsumexp z_t)²`. Zoph et al. (arXiv:2202.08906), equation 5.
    package var z = 0.0
    /// Assignments that found no slot.
    package var dropped = 0
    /// Assignments to the most wanted expert over the mean of all.
    package var imbalance = 0.0
    /// A digest of all choices, in token order; 52 bits.
    package var expertIndicesDigest: UInt64 = 0
}

extension Routing {
    /// - Parameters:
    ///   - tokens: of the micro-batch
    ///   - capacity: slots per expert; nil if none are dropped
    package func statistics(tokens: Int, capacity: Int?) -> RoutingStatistics {
        var result = RoutingStatistics()
        guard tokens > 0 else { return result }
        let assignments = Double(tokens * expertsPerToken)
        var sums = [Double](repeating: 0, count: experts)
        for t in 0..<tokens {
            let p = probabilities.row(t)
            for e in 0..<experts { sums[e] += Double(p[e]) }
            result.z += Double(logSumExp[t]) * Double(logSumExp[t])
        }
        result.z /= Double(tokens)
        for e in 0..<experts {
            result.loadBalance += Double(tokensPerExpert[e]) / assignments * sums[e] / Double(tokens)
            if let capacity { result.dropped += max(0, Int(tokensPerExpert[e]) - capacity) }
        }
        result.loadBalance *= Double(experts)
        result.imbalance = Double(maximumTokensPerExpert) / (assignments / Double(experts))
        for i in 0..<tokens * expertsPerToken {
            result.expertIndicesDigest = mix(result.expertIndicesDigest ^ UInt64(UInt32(bitPattern: expertIndices[i])))
        }
        result.expertIndicesDigest >>= 12
        return result
    }
}
