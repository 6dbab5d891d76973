import Randomness
import Tensors

/// What one micro-batch's routing in one layer adds to the loss and to the records.
package struct RoutingStatistics: Sendable {
    /// The unweighted loss of the balancing rule.
    package var loadBalance = 0.0
    /// `mean_t (logsumexp z_t)²`. Zoph et al. (arXiv:2202.08906), equation 5.
    package var z = 0.0
    /// Assignments that found no slot.
    package var dropped = 0
    /// Assignments to every expert, before capacity; none without tokens.
    package var tokensPerExpert: [Int32] = []
    /// Assignments to the most wanted expert over the mean of all.
    package var imbalance = 0.0
    /// A digest of all choices, in token order; 52 bits.
    package var expertIndicesDigest: UInt64 = 0

    /// A layer whose one feed-forward gets all tokens.
    static func ofDenseLayer(tokens: Int) -> RoutingStatistics {
        var result = RoutingStatistics()
        result.imbalance = tokens > 0 ? 1 : 0
        return result
    }
}

extension Routing {
    /// - Parameters:
    ///   - tokens: of the micro-batch
    ///   - capacity: slots per expert; nil if none are dropped
    ///   - balancing: the rule whose loss is recorded
    package func statistics(tokens: Int, capacity: Int?, balancing: any LoadBalancing) -> RoutingStatistics {
        var result = RoutingStatistics()
        guard tokens > 0 else { return result }
        let assignments = Double(tokens * expertsPerToken)
        result.loadBalance = balancing.loss(of: self, tokens: tokens)
        for t in 0..<tokens { result.z += Double(logSumExp[t]) * Double(logSumExp[t]) }
        result.z /= Double(tokens)
        if let capacity {
            for e in 0..<experts { result.dropped += max(0, Int(tokensPerExpert[e]) - capacity) }
        }
        result.tokensPerExpert = (0..<experts).map { tokensPerExpert[$0] }
        result.imbalance = Double(maximumTokensPerExpert) / (assignments / Double(experts))
        for i in 0..<tokens * expertsPerToken {
            result.expertIndicesDigest = mix(result.expertIndicesDigest ^ UInt64(UInt32(bitPattern: expertIndices[i])))
        }
        result.expertIndicesDigest >>= 12
        return result
    }
}
