package import Diagnostics

/// Which projections of attention have a bias.
package enum AttentionBias: String, CaseIterable, Sendable {
    case none
    /// Those of queries, keys and values, as in Qwen 2.
    case qkv
    /// These and the output's.
    case all
}

/// Which parts of queries and keys are normalized.
package enum QueryKeyNormKind: String, CaseIterable, Sendable {
    case none
    /// Each head, as in Qwen 3.
    case head
    /// The whole projection, as in OLMoE.
    case all
}

/// The heads of attention: their number, their size, their biases and norms.
package struct AttentionConfiguration: Sendable, Equatable {
    /// Heads of queries.
    package var heads: Int
    /// Heads of keys and values, a divisor of `heads`: query head h reads key head ⌊h · keyValueHeads / heads⌋. As many as
    /// `heads` in multi-head attention, one in multi-query attention (Shazeer, arXiv:1911.02150), in between in grouped-query
    /// attention (Ainslie et al., arXiv:2305.13245).
    package var keyValueHeads: Int
    /// Columns of a head, an even number.
    package var headSize: Int
    package var bias: AttentionBias
    package var queryKeyNorm: QueryKeyNormKind

    /// - Parameters:
    ///   - heads: of queries
    ///   - keyValueHeads: nil: as many as `heads`
    ///   - headSize: columns of a head
    ///   - bias: which projections have one
    ///   - queryKeyNorm: what is normalized before the products
    package init(
        heads: Int, keyValueHeads: Int? = nil, headSize: Int, bias: AttentionBias = .none,
        queryKeyNorm: QueryKeyNormKind = .none
    ) {
        self.heads = heads
        self.keyValueHeads = keyValueHeads ?? heads
        self.headSize = headSize
        self.bias = bias
        self.queryKeyNorm = queryKeyNorm
    }

    /// - Parameters:
    ///   - section: `model`
    ///   - dModel: width of the residual stream
    /// - Throws: `configuration` for heads that do not fit each other, with the ones that would
    init(reading section: ConfigurationSection, dModel: Int) throws(Failure) {
        heads = try section.integer("heads", in: 1...10_000)
        keyValueHeads = try section.integer("kv_heads", automatic: heads, in: 1...10_000) ?? heads
        let size = dModel % heads == 0 ? dModel / heads : nil
        headSize = try section.integer("head_size", automatic: size, in: 1...1 << 20) ?? 1
        bias = try section.choice("attention_bias", default: AttentionBias.none)
        queryKeyNorm = try section.choice("qk_norm", default: QueryKeyNormKind.none)
        try checkHeads(section, dModel: dModel)
    }

    /// Columns of the queries, and of what attention returns.
    package var queryWidth: Int { heads * headSize }
    /// Columns of the keys, and of the values.
    package var keyValueWidth: Int { keyValueHeads * headSize }
    /// Columns of queries | keys | values.
    package var projectedWidth: Int { queryWidth + 2 * keyValueWidth }
    /// Groups of columns of queries and keys that are normalized each: heads, or the two projections.
    package var normedGroups: Int { queryKeyNorm == .head ? heads + keyValueHeads : 2 }
    /// Columns of the weight of the queries' norm, and of the keys'.
    package var normWidths: (queries: Int, keys: Int) {
        queryKeyNorm == .head ? (headSize, headSize) : (queryWidth, keyValueWidth)
    }
    /// Elements of the projections' matrices.
    /// - Parameter dModel: width of the residual stream
    package func matrixElements(dModel: Int) -> Double { Double(dModel) * Double(projectedWidth + queryWidth) }

    private func checkHeads(_ section: ConfigurationSection, dModel: Int) throws(Failure) {
        guard headSize % 2 == 0 else {
            guard !section.contains("head_size") || section.isWord("head_size", "auto") else {
                throw section.failure(
                    "head_size", "is \(headSize), but rotary positions turn pairs", advice: "choose an even size")
            }
            let fitting = (1...dModel).filter { dModel % $0 == 0 && (dModel / $0) % 2 == 0 }
            throw section.failure(
                "heads",
                "is \(heads), which does not cut d_model \(dModel) into heads of an even size (rotary "
                    + "positions turn pairs)",
                advice: fitting.isEmpty
                    ? "d_model must be even, or model.head_size be given"
                    : "allowed for this d_model are \(fitting.map(String.init).joined(separator: ", ")); any number is with "
                        + "model.head_size")
        }
        guard heads % keyValueHeads == 0 else {
            let fitting = (1...heads).filter { heads % $0 == 0 }
            throw section.failure(
                "kv_heads", "is \(keyValueHeads), which does not divide the \(heads) heads",
                advice: "allowed are \(fitting.map(String.init).joined(separator: ", "))")
        }
    }
}
