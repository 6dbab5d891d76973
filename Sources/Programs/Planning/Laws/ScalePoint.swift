import Platform

/// What a law looks at: the sizes of one model and the tokens it was trained on.
package struct ScalePoint: Sendable, Equatable {
    /// N_act: parameters that work on one token, with embedding and head.
    package let active: Double
    /// N_total: all parameters, with embedding and head.
    package let total: Double
    /// The part of `total` (and of `active`) that is embedding and head; 0 where unknown.
    package let embedding: Double
    /// D: training tokens.
    package let tokens: Double
    /// E: total expert parameters over those of one dense feed-forward.
    package let experts: Double
    /// G: hidden size of the dense feed-forward over that of one expert.
    package let granularity: Double
    /// K: dense feed-forwards' worth of experts that work on one token; K·G experts out of E·G.
    package let topK: Double
    /// S: the ratio of shared experts, which work on every token, among those that work on one.
    package let sharedRatio: Double
    /// C: training FLOPs.
    package let flops: Double

    /// Natural logarithms, taken once because a fit asks for them millions of times.
    let logActive, logTotal, logBody, logTokens: Double

    /// - Parameters:
    ///   - active: N_act, parameters that one token uses
    ///   - total: N, all parameters
    ///   - embedding: parameters of embedding and head
    ///   - tokens: D
    ///   - experts: E
    ///   - granularity: G
    ///   - topK: K
    ///   - sharedRatio: S
    ///   - flops: of training; nil: 6·N_act·D
    package init(
        active: Double, total: Double, embedding: Double = 0, tokens: Double, experts: Double = 1,
        granularity: Double = 1, topK: Double = 1, sharedRatio: Double = 0, flops: Double? = nil
    ) {
        self.active = active
        self.total = total
        self.embedding = embedding
        self.tokens = tokens
        self.experts = experts
        self.granularity = granularity
        self.topK = topK
        self.sharedRatio = sharedRatio
        self.flops = flops ?? 6 * active * tokens
        logActive = log(active)
        logTotal = log(total)
        logBody = log(total - embedding)
        logTokens = log(tokens)
    }

    /// S = (E − K)/E: the share of experts that rest.
    package var sparsity: Double { 1 - topK / experts }
}
