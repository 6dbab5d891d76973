/// The shape of a decoder as the laws see it. Real numbers, because an optimum is found before it is rounded.
package struct Architecture: Sendable, Equatable {
    /// d
    package var dModel: Double
    /// Transformer blocks; the studies keep `d/64`, as many blocks as heads.
    package var blocks: Double
    /// E
    package var experts: Double
    /// G
    package var granularity: Double
    /// K: K·G of E·G experts work on a token
    package var topK: Double
    /// V
    package var vocabularySize: Double

    /// - Parameters:
    ///   - dModel: d
    ///   - blocks: nil: d/64
    ///   - experts: E
    ///   - granularity: G
    ///   - topK: K
    ///   - vocabularySize: V
    package init(
        dModel: Double, blocks: Double? = nil, experts: Double, granularity: Double = 1, topK: Double = 1,
        vocabularySize: Double = 50257
    ) {
        self.dModel = dModel
        self.blocks = blocks ?? dModel / 64
        self.experts = experts
        self.granularity = granularity
        self.topK = topK
        self.vocabularySize = vocabularySize
    }
}

/// How a paper counts parameters and FLOPs.
package enum Counting: String, Sendable {
    /// Embedding and head apart, `2·d·V`; attention `4·d²`; each expert a SwiGLU of hidden size 3d, `9·d²`; router and norms
    /// not counted; `6·N_act` FLOPs a training token (Ludziejewski et al. 2025, section 3 and appendix).
    case decoder
    /// Experts of `8·d²`, embedding and head outside N, `72·d² + 14·d·E·G` FLOPs a training token and block, the second
    /// term for routing (Krajewski et al. 2024, section 5 and appendix). A dense model has no routing.
    case fineGrained

    /// Parameters of one dense feed-forward over d².
    private var feedForward: Double { self == .decoder ? 9 : 8 }

    /// Embedding and head, `2·d·V`.
    package func embedding(_ shape: Architecture) -> Double { 2 * shape.dModel * shape.vocabularySize }

    /// Everything between embedding and head.
    package func body(_ shape: Architecture) -> Double {
        (4 + feedForward * shape.experts) * shape.blocks * shape.dModel * shape.dModel
    }

    /// The part of `body` that works on one token.
    package func activeBody(_ shape: Architecture) -> Double {
        (4 + feedForward * shape.topK) * shape.blocks * shape.dModel * shape.dModel
    }

    /// FLOPs of forward and backward for one token.
    package func trainingFLOPsPerToken(_ shape: Architecture) -> Double {
        switch self {
        case .decoder: return 6 * (embedding(shape) + activeBody(shape))
        case .fineGrained:
            let routed = shape.experts * shape.granularity > 1 ? shape.experts * shape.granularity : 0
            return 6 * activeBody(shape) + 14 * shape.dModel * routed * shape.blocks
        }
    }

    /// FLOPs of forward and backward for one token as the trainer counts them (`flops_per_token` of `run.json`): 6 per
    /// active matrix parameter, router and head among them but not the embedding, which is looked up, and `12·d` per causal
    /// pair of positions and block.
    ///
    /// - Parameters:
    ///   - shape: of the model
    ///   - context: tokens of a sequence
    package func trainerFLOPsPerToken(_ shape: Architecture, context: Double) -> Double {
        let router = shape.dModel * shape.experts * shape.granularity * shape.blocks
        let head = shape.dModel * shape.vocabularySize
        return 6 * (activeBody(shape) + router + head) + 6 * shape.blocks * shape.dModel * (context + 1)
    }

    /// FLOPs of one forward pass for one token: a third of training.
    package func inferenceFLOPsPerToken(_ shape: Architecture) -> Double { trainingFLOPsPerToken(shape) / 3 }

    /// The model with `tokens` of training, counted as the law's paper counts: the fine-grained study leaves embedding
    /// and head out of everything.
    ///
    /// - Parameters:
    ///   - shape: of the model
    ///   - tokens: D
    ///   - sharedRatio: S; which of the active experts are shared changes no count
    package func point(_ shape: Architecture, tokens: Double, sharedRatio: Double = 0) -> ScalePoint {
        let embedding = self == .decoder ? embedding(shape) : 0
        return ScalePoint(
            active: embedding + activeBody(shape), total: embedding + body(shape), embedding: embedding, tokens: tokens,
            experts: shape.experts, granularity: shape.granularity, topK: shape.topK, sharedRatio: sharedRatio)
    }

    /// All parameters that a device must hold, embedding and head among them.
    package func storedParameters(_ shape: Architecture) -> Double { embedding(shape) + body(shape) }

    /// N_act as the learning-rate rule wants it, embedding and head among them.
    package func activeParameters(_ shape: Architecture) -> Double { embedding(shape) + activeBody(shape) }
}
